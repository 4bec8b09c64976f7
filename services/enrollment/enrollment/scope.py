"""Which units' rows a caller may see."""

from __future__ import annotations

from shared.auth import Caller


def units_asked(caller: Caller, unit: str | None) -> frozenset[str] | None:
    """The units to look in, None for all: the one asked for, or those of the token.

    Raises the problem ``forbidden-unit`` for one the token does not cover.
    """
    if unit is None:
        return caller.units
    caller.require_unit(unit)
    return frozenset({unit})
