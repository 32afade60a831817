"""From files to arrays: which pictures, in which split, as which bytes."""
