"""What the pages look at beside the status of the station: mismatches, and the model that sorts."""
