"""Plans to clear arrears, by instalments: planned against what receipts say (O41)."""
