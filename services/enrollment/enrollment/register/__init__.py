"""The register: employers and insured persons, by lists and by applications (O3, O30)."""
