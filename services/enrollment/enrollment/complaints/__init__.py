"""Letters and reports about employers, and the protection of who wrote them (O85)."""
