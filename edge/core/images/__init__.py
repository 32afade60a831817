"""Images: reading them to the same bytes on every machine, preprocessing, quality, display."""
