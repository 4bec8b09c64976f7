"""What may become of a pair of employers, and which keys go where. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

SUGGESTED: Final = "suggested"
LINKED: Final = "linked"
CONFIRMED: Final = "confirmed"
REFUSED: Final = "refused"
SPLIT: Final = "split"

TOGETHER: Final = frozenset({LINKED, CONFIRMED})
"""States in which the two are one employer."""
APART: Final = frozenset({REFUSED, SPLIT})
"""States in which people have said that they are two."""

SYSTEM: Final = "system"
"""Who decides what no person decided."""

_ALLOWED: Final[dict[str, frozenset[str]]] = {
    "confirm": frozenset({SUGGESTED, LINKED, REFUSED, SPLIT}),
    "refuse": frozenset({SUGGESTED}),
    "split": TOGETHER,
}
_AFTER: Final = {"confirm": CONFIRMED, "refuse": REFUSED, "split": SPLIT}

_AGENCY = "agency:"


class Standing(NamedTuple):
    """An employer as far as joining goes."""

    employer_id: str
    name: str
    unit: str
    agency_no: str | None
    """Its number in the register, None while it is not there."""


def pair_of(one: str, other: str) -> tuple[str, str]:
    """The two in the order a pair is kept in."""
    return (one, other) if one < other else (other, one)


def may(decision: str, status: str) -> bool:
    """Whether a pair of this status can be decided so."""
    return status in _ALLOWED[decision]


def after(decision: str) -> str:
    """The status a decision leads to."""
    return _AFTER[decision]


def survivor_of(one: Standing, other: Standing) -> tuple[Standing, Standing] | None:
    """(who stays, who is absorbed): the one in the register, else the one known longer. None for
    two that both stand there: an employer stands in the register once."""
    if one.agency_no and other.agency_no:
        return None
    if bool(one.agency_no) != bool(other.agency_no):
        return (one, other) if one.agency_no else (other, one)
    return (one, other) if one.employer_id < other.employer_id else (other, one)


def found_again(
    status: str, judged: object, evidence: object, *, automatic: bool
) -> tuple[str, bool] | None:
    """What finding a known pair again makes of it: (status, to be joined unasked), None for
    nothing. What people told apart (``judged``: the evidence they did so on) is asked about again
    only for evidence they had not seen, and never joined unasked, however often it is found."""
    if status in TOGETHER:
        return None
    if status in APART:
        return None if judged == evidence else (SUGGESTED, False)
    return (SUGGESTED, automatic and judged is None)


def brought_along(keys: Collection[str], via: Mapping[str, str | None]) -> frozenset[str]:
    """The keys with all that joined through them. ``via``: every key of the employer → the key
    it came with. Numbers in the register are never among them: the entry stays."""
    going = {key for key in keys if key in via}
    while True:
        more = {key for key, through in via.items() if through in going} - going
        if not more:
            return frozenset(key for key in going if not key.startswith(_AGENCY))
        going |= more


def parted(
    wanted: Collection[str], via: Mapping[str, str | None], entry: Collection[str]
) -> tuple[frozenset[str], bool]:
    """(keys that leave, whether those who leave are the others): of an employer in the register
    the entry stays where it is, so where the keys to part are the entry's, what is not leaves.

    ``entry``: the numbers the register's entry carries, strongest first; empty without one.
    """
    going = brought_along(wanted, via)
    strongest = next((key for key in entry if key in via), None)
    if strongest is None or strongest not in going:
        return going, False
    others = (key for key in via if key not in going and not key.startswith(_AGENCY))
    return frozenset(others), True
