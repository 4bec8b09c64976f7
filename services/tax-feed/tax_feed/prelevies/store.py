"""Conditions on pre-levies."""

from __future__ import annotations

from sqlalchemy import ColumnElement, not_

from tax_feed.prelevies.models import pre_levies
from tax_feed.prelevies.rules import Stage


def at_stage(stage: Stage | None) -> tuple[ColumnElement[bool], ...]:
    """Those that have got so far and no further, as ``rules.stage_of`` has it; None for all."""
    columns = pre_levies.c
    if stage is None:
        return ()
    if stage is Stage.CANCELLED:
        return (columns.cancelled,)
    stands = columns.cancelled.is_(False)
    if stage is Stage.SETTLED:
        return (stands, columns.settled_on.is_not(None))
    unknown = columns.enrolled_on.is_(None)
    enrolled = unknown if stage is Stage.LEVIED else not_(unknown)
    return (stands, columns.settled_on.is_(None), enrolled)
