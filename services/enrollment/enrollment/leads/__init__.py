"""Leads (扩面资源): evidence that an employer should be covered and is not (O28, O29)."""
