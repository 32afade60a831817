"""What a program says on a terminal, and the commands that it tells people to type."""
