"""What a station file says of programs that others come to: addresses, and the operator's pages."""
