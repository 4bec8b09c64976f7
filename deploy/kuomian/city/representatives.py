"""Who represents an enterprise at law, and how each office writes it. All names are made.

Mostly every office writes one name. Some write it with a gap, which is the same name; some firms
have had a new representative entered at the registry alone, which speaks against an equal name;
some firms share one, which speaks for what is not so.
"""

from __future__ import annotations

from dataclasses import replace

from kuomian.city import apart, names
from kuomian.city.firms import Firm

_SHARED_EVERY, _SHARED_AT = 25, 3
_GAP_EVERY, _GAP_AT = 20, 14
_NEW_EVERY, _NEW_AT = 360, 74
"""Some of those that stand apart and whose licence writes 有限责任公司 for 有限公司."""
_OTHERS = 5_000
"""What is added to a number for somebody else's name."""


def representative(firm: Firm) -> str:
    """The name as it is spelt everywhere but for the ways below."""
    shared = firm.number % _SHARED_EVERY == _SHARED_AT
    return names.representative(firm.number - shared)


def next_representative(firm: Firm) -> str:
    """Whoever comes after them."""
    return names.representative(firm.number + _OTHERS)


def has_new_one(firm: Firm) -> bool:
    """Whether the registry has a new representative that no other office was told of."""
    return firm.apart and firm.number % _NEW_EVERY == _NEW_AT


def at_the_registry(firm: Firm) -> str:
    """As the licence has it."""
    if has_new_one(firm):
        return next_representative(firm)
    name = representative(firm)
    return f"{name[:1]} {name[1:]}" if firm.number % _GAP_EVERY == _GAP_AT else name


def second_code(firm: Firm) -> Firm:
    """The same firm as an office sees it that has another organisation code for it."""
    return replace(firm, org_code=apart.second_code_of(firm.number))
