"""Every SQL statement of the register."""
