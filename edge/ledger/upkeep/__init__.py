"""What a person does to a ledger: checks it, backs it up, corrects a row."""
