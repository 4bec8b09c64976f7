"""What became of a department's records: feedback to the source (F21)."""
