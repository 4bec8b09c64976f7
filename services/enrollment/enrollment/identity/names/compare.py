"""Whether two records are about one employer, by name and what else is known. Pure.

The score of two equal names, less what their parts differ by, plus what the other evidence is
worth. Some things no score outweighs: other numbers or another branch are another employer, two
valid organisation codes are never linked without a person, nor names whose own characters differ.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final, Literal, NamedTuple, TypeAlias

from enrollment.identity.names.normal import Normal, normal_of, plain
from enrollment.identity.names.parts import Part, parts_of
from enrollment.identity.names.policy import NamePolicy, Signs
from shared.identifiers import check_org_code

Outcome: TypeAlias = Literal["linked", "ask", "separate"]
Finding: TypeAlias = Literal["agreed", "differs", "unknown"]

_SAME_DAYS: Final = 3
_OTHER_DAYS: Final = 400
"""Days between two founding dates: up to the first one day written twice, from the second two."""
_ADDRESS_CHARACTERS: Final = 5
_NUMBER: Final = re.compile("[0-9]+")


class Seen(NamedTuple):
    """What one department says of one employer. None: it does not say."""

    ref: str
    """The caller's own handle, handed back."""
    name: str
    unit: str | None = None
    """Code of the reporting unit."""
    address: str | None = None
    legal_rep_key: str | None = None
    """Keyed hash of the legal representative or owner; never a name or number."""
    founded_on: date | None = None
    reg_type: str | None = None
    """国统字〔1998〕200号, three digits."""
    industry: str | None = None
    """GB/T 4754-2002, two digits or more."""
    household: bool | None = None
    org_code: str | None = None
    """Nine characters, in normal form."""
    licence_no: str | None = None


class Evidence(NamedTuple):
    """One sign: what was compared, what came of it, the points it gave."""

    what: str
    """A key of ``texts.WHAT``."""
    finding: Finding
    points: int


class Verdict(NamedTuple):
    """What two records come to. ``explained`` in ``texts`` puts it in words."""

    outcome: Outcome
    score: int
    """0 to 1000."""
    evidence: tuple[Evidence, ...]
    rule: str
    """A key of ``texts.RULES``: what the names are to each other, or what forbids to link."""


def compare(one: Seen, other: Seen, policy: NamePolicy) -> Verdict:
    """Judge two records. Symmetric: the order of the two changes nothing."""
    return judge(
        one,
        normal_of(one.name, policy.places),
        other,
        normal_of(other.name, policy.places),
        policy,
    )


def judge(
    one: Seen, one_name: Normal, other: Seen, other_name: Normal, policy: NamePolicy
) -> Verdict:
    """``compare`` for names already in normal form."""
    parts = parts_of(one_name, other_name, policy)
    evidence = [Evidence(part.what, part.finding, part.points) for part in parts]
    others = _others(one, other, policy)
    score = sum(sign.points for sign in evidence) + sum(sign.points for sign in others)
    rule, limit = _limited(parts, others, policy)
    score = max(0, min(score, limit, 1000))
    outcome: Outcome = (
        "linked" if score >= policy.link else "ask" if score >= policy.ask else "separate"
    )
    return Verdict(outcome, score, (*evidence, *others), rule)


def _limited(parts: list[Part], others: list[Evidence], policy: NamePolicy) -> tuple[str, int]:
    """The rule that describes the pair, and the highest score it admits."""
    worst = min(
        parts, key=lambda part: (part.limit, part.points if part.finding == "differs" else 1)
    )
    rule = worst.what if worst.finding == "differs" else "same-name"
    limit = worst.limit
    found = {sign.what: sign.finding for sign in others}
    if found["org-code"] == "differs":
        return "codes-contradict", min(limit, policy.link - 1)
    if found["licence"] == "differs" and limit >= policy.link:
        return "licences-contradict", policy.link - 1
    if found.get("household") == "differs" and limit >= policy.link:
        return "household-and-firm", policy.link - 1
    return rule, limit


def _others(one: Seen, other: Seen, policy: NamePolicy) -> list[Evidence]:
    """The evidence beside the name."""
    return [
        _sign("district", _equal(one.unit, other.unit), policy.district),
        _sign("address", same_addresses(one, other, policy), policy.address),
        _sign(
            "legal-representative",
            _equal(one.legal_rep_key, other.legal_rep_key),
            policy.legal_representative,
        ),
        _sign("founded", same_days(one.founded_on, other.founded_on), policy.founded),
        _sign("trade", _equal(_head(one.industry, 2), _head(other.industry, 2)), policy.trade),
        _sign(
            "registration",
            _equal(_head(one.reg_type, 1), _head(other.reg_type, 1)),
            policy.registration,
        ),
        _households(one.household, other.household, policy),
        _sign("licence", _licences(one.licence_no, other.licence_no), policy.licence),
        _sign("org-code", _codes(one.org_code, other.org_code), policy.org_code),
    ]


def _sign(what: str, agreed: bool | None, signs: Signs) -> Evidence:
    if agreed is None:
        return Evidence(what, "unknown", 0)
    return Evidence(what, "agreed", signs[0]) if agreed else Evidence(what, "differs", signs[1])


def _households(one: bool | None, other: bool | None, policy: NamePolicy) -> Evidence:
    """No two firms of a register have one name; households often do."""
    if one and other:
        return Evidence("both-households", "agreed", policy.household[0])
    return _sign("household", _equal(one, other), (0, policy.household[1]))


def _equal(one: object, other: object) -> bool | None:
    return None if one is None or other is None else one == other


def _head(code: str | None, length: int) -> str | None:
    return code[:length] if code else None


def same_days(one: date | None, other: date | None) -> bool | None:
    if one is None or other is None:
        return None
    apart = abs((one - other).days)
    return True if apart <= _SAME_DAYS else False if apart >= _OTHER_DAYS else None


def _licences(one: str | None, other: str | None) -> bool | None:
    """Licence numbers of different lengths are an old and a new number: they tell nothing."""
    if not one or not other or len(one) != len(other):
        return None
    return one == other


def _codes(one: str | None, other: str | None) -> bool | None:
    """Only valid codes speak."""
    if not one or not other or check_org_code(one) or check_org_code(other):
        return None
    return one == other


def same_addresses(one: Seen, other: Seen, policy: NamePolicy) -> bool | None:
    """Addresses agree where one, without its places, ends in the other and both have the same
    numbers; they differ where both have numbers and none in common."""
    if not one.address or not other.address:
        return None
    left, right = sorted(
        (address_key(one.address, policy), address_key(other.address, policy)), key=len
    )
    numbers, others = _NUMBER.findall(left), _NUMBER.findall(right)
    if numbers == others and len(left) >= _ADDRESS_CHARACTERS and right.endswith(left):
        return True
    return False if numbers and others and not set(numbers) & set(others) else None


def address_key(address: str, policy: NamePolicy) -> str:
    """An address as it is compared."""
    _, rest = policy.places.taken_off(plain(address).replace("(", "").replace(")", ""))
    return rest
