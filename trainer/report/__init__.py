"""Pictures and pages of how good a training came out."""
