"""Pictures that are copies of one another, found by what they show."""
