"""The outbox: what is to leave the machine, written in the transaction of the row it tells of."""
