"""The pages: each module has functions that answer a visit."""
