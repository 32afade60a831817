"""The outbox: entries for other systems, each written in the transaction of the row it is about."""
