"""What the words and figures of a station mean to a person, in the language of a visit."""
