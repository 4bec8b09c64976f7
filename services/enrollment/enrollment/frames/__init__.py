"""The census's frame frozen by versions, and the progress counted against it (F34)."""
