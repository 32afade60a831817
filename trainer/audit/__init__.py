"""What is wrong with a set of labelled pictures, found before anybody trains on it."""
