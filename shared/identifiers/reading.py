"""One front for every kind of number: read it, repair what is certain, say what is wrong.

A repair changes notation only (width, spaces, case, printed marks) or writes an old identity
number in its new form; each is told, so that a receipt can record it. No letter O becomes a 0 and
no check character is corrected: what is left wrong is a problem for the sender.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Final, Literal, NamedTuple, TypeAlias

from shared.characters import narrow
from shared.identifiers.documents import (
    DocumentKind,
    check_passport_no,
    check_residence_permit_no,
    check_travel_permit_no,
)
from shared.identifiers.employers import check_org_code, check_reg_no, check_tax_no, check_uscc
from shared.identifiers.parts import Note, division_note
from shared.identifiers.persons import check_identity_no, identity_18_from_15
from shared.identifiers.problem import Problem

Kind: TypeAlias = Literal["org-code", "uscc", "licence-no", "tax-no", "identity-no"] | DocumentKind
RepairRule: TypeAlias = Literal["full-width", "spaces", "upper-case", "marks", "eighteen-digits"]

_SPACES: Final = re.compile(r"\s+")
_MARKS: Final = re.compile(r"[\s'`‘’\-‐‑‒–—―−]")


class Repair(NamedTuple):
    """One change of a number, by a rule that leaves no choice. Of an identity or passport number,
    or a household's tax number, both sides are personal data."""

    rule: RepairRule
    before: str
    after: str


class Reading(NamedTuple):
    """What a text came to: its normal form, or the problem; exactly one of them is None."""

    normal: str | None
    problem: Problem | None
    repairs: tuple[Repair, ...] = ()
    """In the order they were made; none where the number could not be read."""
    note: Note | None = None
    """Something to look at that is no fault."""


def notations(text: str) -> Iterator[tuple[RepairRule, str]]:
    """A number as it would stand in plainer and plainer notation, and the rule of each step:
    without full width, spaces, lower case, printed marks. Steps may change nothing."""
    value = narrow(text)
    yield ("spaces" if value == text.strip() else "full-width"), value
    value = _SPACES.sub("", value)
    yield "spaces", value
    value = value.upper()
    yield "upper-case", value
    yield "marks", _MARKS.sub("", value)


def read(kind: Kind, text: str, as_of: date | None = None) -> Reading:
    """Read one number. Births after ``as_of`` are refused where it is given.

    The normal form of an organisation code is its nine characters without hyphen, of an identity
    number its 18 digits, of all others the number as issued. ``read`` of a normal form gives it
    back without repairs.
    """
    value, repairs = text, list[Repair]()
    problem = check(kind, value, as_of)
    for rule, form in notations(text):
        if problem is None:
            break
        if form != value:
            repairs.append(Repair(rule, value, form))
            value, problem = form, check(kind, form, as_of)
    if problem is not None:
        return Reading(None, problem)
    if kind == "identity-no" and len(value) == 15:
        full = identity_18_from_15(value)
        repairs.append(Repair("eighteen-digits", value, full))
        value = full
    return Reading(value, None, tuple(repairs), division_note(kind, value))


def check(kind: Kind, value: str, as_of: date | None = None) -> Problem | None:
    """What is wrong with a number of this kind as it is written, or None."""
    if kind in ("tax-no", "identity-no"):
        by_day = check_tax_no if kind == "tax-no" else check_identity_no
        return by_day(value, as_of)
    return _CHECKS[kind](value)


def check_licence_no(value: str) -> Problem | None:
    """What is wrong with a licence's number: 15 digits, 13, text, or an 18-character code."""
    return check_uscc(value) if len(value) == 18 and value.isascii() else check_reg_no(value)


_CHECKS: Final[Mapping[str, Callable[[str], Problem | None]]] = {
    "org-code": check_org_code,
    "uscc": check_uscc,
    "licence-no": check_licence_no,
    "passport-no": check_passport_no,
    "travel-permit-no": check_travel_permit_no,
    "residence-permit-no": check_residence_permit_no,
}
