"""Deliveries and what they corrected: since when a delivery counts as received."""

from __future__ import annotations

from typing import Final, LiteralString

CAME_AT: Final[LiteralString] = (
    "(WITH RECURSIVE chain AS (SELECT d.delivery_id, d.received_at UNION"
    " SELECT p.delivery_id, p.received_at FROM chain c JOIN delivery_facts p"
    " ON p.superseded_by = c.delivery_id AND p.period = d.period)"
    " SELECT min(received_at) FROM chain)"
)
"""SQL: of a row ``d`` of ``delivery_facts``, when the first came of the deliveries it replaced
one after the other for the same period, itself included. Replacing what came in time is a
correction, not a late delivery; what was sent for another period came for that one."""
