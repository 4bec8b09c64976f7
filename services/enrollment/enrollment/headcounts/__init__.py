"""The triangle of headcounts: taxable, contributing, found by the census (F22)."""
