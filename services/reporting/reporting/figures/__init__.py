"""The figures ledger: every number is a sum of entries, and every entry names its fact."""
