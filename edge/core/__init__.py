"""The code that trainer, converter and edge share; nothing here belongs to a running station."""
