"""Images: read from files as the same bytes everywhere, preprocessed, judged and shown."""
