"""How two names differ, part by part: place, form, core, branch, numbers. Pure."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from enrollment.identity.names import words
from enrollment.identity.names.normal import Normal
from enrollment.identity.names.policy import NamePolicy
from enrollment.identity.names.sounds import sound_alike

_BRAND: Final = 2
"""Characters a brand has at least."""
_SHORTEST_CORE: Final = 4
"""Characters a core has at least before one of them may be a slip."""
_LIKENESS: Final = 300
"""Points of two names that are nothing to each other but share all their pairs of characters."""
_OPEN: Final = 1000
_SIGNS: Final = (
    "sounds-alike",
    "swapped",
    "trade-left-out",
    "leading-left-out",
    "character-left-out",
    "one-character",
    "trade-differs",
)
"""What two cores may be to each other, in the order of ``NamePolicy.core``."""


class Part(NamedTuple):
    """What one part of two names says."""

    what: str
    finding: Literal["agreed", "differs"]
    points: int
    limit: int = _OPEN
    """The highest score the pair may have in the end."""


def parts_of(one: Normal, other: Normal, policy: NamePolicy) -> list[Part]:
    """The differences of two names; the first part holds the score they start from."""
    if one.numbers != other.numbers:
        return [_apart("numbers-differ", one, other, policy)]
    if one.branch != other.branch:
        return [_apart("branch-differs", one, other, policy)]
    branch_places = policy.places.relation(one.branch_place, other.branch_place)
    if branch_places in ("wider", "other"):
        return [_apart("branch-differs", one, other, policy)]
    parts = [Part("name", "agreed", policy.same_name)]
    if one.text == other.text:
        return parts + _no_brand(one, other, policy)
    # 某某事务所 and 某某事务所有限公司: 事务所 is a form only where no other follows.
    whole = one.core != other.core and one.whole == other.whole
    core = None if whole else _core(one, other, policy)
    if core is not None:
        if core.what == "unlike":
            return [core]
        parts.append(core)
    if branch_places != "same":
        parts.append(Part("branch-place", "differs", policy.place[2]))
    parts += _place(one, other, policy)
    if whole:
        parts.append(Part("form-left-out", "differs", policy.form[2]))
    else:
        parts += _form(one.form, other.form, policy)
    return parts + _no_brand(one, other, policy)


def _apart(what: str, one: Normal, other: Normal, policy: NamePolicy) -> Part:
    return Part(what, "differs", _likeness(one.text, other.text), policy.ask - 1)


def _likeness(one: str, other: str) -> int:
    """Shared pairs of neighbouring characters, 0 to ``_LIKENESS``."""
    left, right = (
        Counter(pairwise(one)),
        Counter(pairwise(other)),
    )
    total = left.total() + right.total()
    return 2 * (left & right).total() * _LIKENESS // total if total else 0


def _place(one: Normal, other: Normal, policy: NamePolicy) -> list[Part]:
    relation = policy.places.relation(one.place, other.place)
    if relation == "same":
        if one.place_spelt == other.place_spelt:
            return []
        return [Part("place-spelt", "differs", policy.place[0])]
    if relation == "dropped":
        own = policy.places.city in (one.place, other.place)
        return [Part("place-left-out", "differs", policy.place[1 if own else 2])]
    if relation == "wider":
        return [Part("place-wider", "differs", policy.place[3])]
    return [Part("place-differs", "differs", policy.place[4])]


def _form(one: str, other: str, policy: NamePolicy) -> list[Part]:
    if one == other:
        return []
    if not one or not other:
        return [Part("form-left-out", "differs", policy.form[2])]
    companies = {one, other} & words.COMPANIES
    if {one, other} == words.LIMITED:
        points = policy.form[0]
    elif len(companies) == 2:
        points = policy.form[1]
    else:
        points = policy.form[3 if companies else 4]
    return [Part("form-differs", "differs", points)]


def _no_brand(one: Normal, other: Normal, policy: NamePolicy) -> list[Part]:
    """百货公司 alone is no name; 本溪市百货公司 is, while both name the same place."""
    if min(len(one.brand), len(other.brand)) >= _BRAND or (one.place and one.place == other.place):
        return []
    return [Part("no-brand", "differs", policy.no_brand)]


def _core(one: Normal, other: Normal, policy: NamePolicy) -> Part | None:
    """What is between two cores; None where they are equal. A slip never links by itself."""
    if one.core == other.core:
        return None
    what = _difference(*sorted((one, other), key=lambda name: (len(name.core), name.core)))
    if what == "unlike":
        return Part(what, "differs", _likeness(one.core, other.core), policy.ask - 1)
    return Part(what, "differs", policy.core[_SIGNS.index(what)], policy.link - 1)


def _difference(short: Normal, long: Normal) -> str:
    """One of ``_SIGNS``, or ``unlike``."""
    slip = _slip(short.core, long.core) if len(short.core) >= _SHORTEST_CORE else ""
    same_brand = short.brand == long.brand and len(short.brand) >= _BRAND
    found = {
        slip: True,
        "trade-left-out": short.core.replace(words.GROUP, "") == long.core.replace(words.GROUP, "")
        or (same_brand and _stands_within(short.core, long.core)),
        "leading-left-out": _leading(short, long),
        "trade-differs": same_brand,
    }
    return next((sign for sign in _SIGNS if found.get(sign)), "unlike")


def _leading(short: Normal, long: Normal) -> bool:
    """Whether the longer core is the shorter one with two characters or more before it."""
    return (
        len(short.core) >= _SHORTEST_CORE
        and len(short.brand) >= _BRAND
        and len(long.core) - len(short.core) >= 2
        and long.core.endswith(short.core)
    )


def close(one: str, other: str) -> bool:
    """Whether two cores sharing part of themselves may be a question on their own: a slip of the
    typist, a character or words left out. One other character, or another trade, never is."""
    short, long = sorted((one, other), key=len)
    return (
        short == long
        or _slip(short, long) in ("sounds-alike", "swapped")
        or _stands_within(short, long)
    )


def _stands_within(short: str, long: str) -> bool:
    """Whether the characters of the one stand in the other in the same order."""
    rest = iter(long)
    return all(character in rest for character in short)


def _slip(shorter: str, longer: str) -> str:
    """How one edit makes the one of the other: one of ``_SIGNS``; empty where one edit does
    not."""
    if len(longer) - len(shorter) > 1:
        return ""
    start = 0
    while start < len(shorter) and shorter[start] == longer[start]:
        start += 1
    if len(shorter) < len(longer):
        return "character-left-out" if shorter[start:] == longer[start + 1 :] else ""
    if shorter[start + 1 :] == longer[start + 1 :]:
        return "sounds-alike" if sound_alike(shorter[start], longer[start]) else "one-character"
    pair, swapped = shorter[start : start + 2], longer[start : start + 2]
    same_after = shorter[start + 2 :] == longer[start + 2 :]
    return "swapped" if same_after and pair == swapped[::-1] else ""
