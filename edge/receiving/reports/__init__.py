"""What a delivery came to: the differences as figures, as a table and as a page for print."""
