"""Who carries the census out and what it costs: enumerators, member bodies, budget (O68)."""
