"""What the tax office finds when it looks closely: audited bases (O42), and what may be deducted
before tax (O44, O45)."""
