"""Policy rules as dated data: decisions that say their rule, version, inputs and clause (F25)."""
