"""Every SQL statement of the ledger: posting, reading, replaying."""
