"""Every SQL statement of linking."""
