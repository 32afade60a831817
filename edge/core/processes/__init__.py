"""What processes of pilah have to do with one another: their children, and locks between them."""
