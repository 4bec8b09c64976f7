"""Leads of persons by themselves: found without an employer, or with payment interrupted (O77)."""
