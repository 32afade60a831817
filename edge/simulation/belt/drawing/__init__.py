"""Items drawn from nothing: what each kind looks like from above."""
