"""Detection of pictures that are copies of one another, by their content."""
