"""Every SQL statement of the work on leads."""
