"""How far every unit is from its target, dekad by dekad (O7–O11, O20, O94)."""
