"""The census: its frame, the visits, and the persons found not insured (O65–O70)."""
