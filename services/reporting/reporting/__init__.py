"""reporting: the figures ledger, progress against the plan, trust, and the overview page."""
