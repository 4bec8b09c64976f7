"""How far a pre-levy has got. Pure."""

from __future__ import annotations

from datetime import date
from enum import StrEnum


class Stage(StrEnum):
    """The stages of a pre-levy, in order (O46, O47)."""

    LEVIED = "pre-levied"
    """The pooled part is in; the employer has not enrolled."""
    DUE = "individual-due"
    """It has enrolled: now the individual part is due."""
    SETTLED = "settled"
    """The individual part is in."""
    CANCELLED = "cancelled"


def stage_of(enrolled_on: date | None, settled_on: date | None, cancelled: bool) -> Stage:
    """The stage by what is known of it."""
    if cancelled:
        return Stage.CANCELLED
    if settled_on is not None:
        return Stage.SETTLED
    return Stage.LEVIED if enrolled_on is None else Stage.DUE
