"""The insured who got no wage in a month: the individual part, and the employer's part reckoned on
the individual base (O43)."""
