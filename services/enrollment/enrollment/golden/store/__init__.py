"""Every SQL statement of the golden record: ``keeping`` it, ``asking`` for it."""
