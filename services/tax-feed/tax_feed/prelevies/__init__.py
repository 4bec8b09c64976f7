"""The pooled part levied from who should be enrolled and is not, and what follows (O46–O48)."""
