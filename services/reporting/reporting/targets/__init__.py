"""The plan as reporting shows it: units, targets with source and status, the cascade (O21)."""
