"""The incidents of a station: what they are, and the rules that notice them (pure)."""
