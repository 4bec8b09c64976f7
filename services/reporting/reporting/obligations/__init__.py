"""Who owes which delivery for which period, by when, and how it stands (F1, F2, F8, F9, F44)."""
