"""`pilah-publish`, a process of its own: sends what the outboxes hold to other systems."""
