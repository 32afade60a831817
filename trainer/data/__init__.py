"""From files to arrays: which pictures, in which part, as which bytes."""
