"""Can today's figures be trusted: what is missing, late, held, unapplied or unplaced (F56)."""
