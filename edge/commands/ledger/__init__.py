"""`pilah-edge ledger`."""
