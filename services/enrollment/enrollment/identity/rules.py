"""Which employer a record is about: by its numbers, strongest first, never by its name.

The organisation code is the join key (domain §0); a licence number comes second, the keyed hash
of a household owner's identity number third. What contradicts is kept for people to decide: keys
are never moved from one employer to another here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import add
from typing import NamedTuple

AGENCY = "agency:"
"""Prefix of the register's own number; known here, not published among the feed keys."""

_RULES = {"oc": "org-code", "lic": "licence-no", "own": "owner", "agency": "register"}


class Claim(NamedTuple):
    """What one record says of an employer's identity."""

    keys: tuple[str, ...]
    """Strongest first, see ``keys_of``."""
    name: str
    unit: str
    household: bool
    delivery_id: str | None
    record_no: int | None


class Conflict(NamedTuple):
    """A record named ``employer_id`` and a key that belongs to another employer."""

    claim: int
    key: str
    owner_id: str
    employer_id: str


class Joined(NamedTuple):
    """A key nobody had, joined to an employer."""

    employer: str
    rule: str
    claim: int
    via: str
    """The key of the same record it was joined through; the strongest where all were new."""


@dataclass
class Assignment:
    """Which employer each claim is about. ``new:<n>`` stands for one still to be minted."""

    employers: list[str] = field(default_factory=list)
    minted: dict[str, int] = field(default_factory=dict)
    """Placeholder → index of the claim that brought it in."""
    links: dict[str, Joined] = field(default_factory=dict)
    """Key not known before → how it was joined."""
    conflicts: list[Conflict] = field(default_factory=list)


def keys_of(
    org_code: str | None,
    licence_no: str | None,
    owner_key: str | None,
    feed_key: str = "",
    agency_no: str | None = None,
) -> tuple[str, ...]:
    """The keys a record carries, strongest first: the register's own number, organisation code,
    licence number, owner; any other feed key (``rec:``) only where there is nothing else."""
    keys = []
    if agency_no:
        keys.append(AGENCY + agency_no)
    if org_code:
        keys.append(f"oc:{org_code}")
    if licence_no:
        keys.append(f"lic:{licence_no}")
    if owner_key:
        keys.append(owner_key)
    if feed_key and feed_key not in keys and (not keys or not feed_key.startswith("rec:")):
        keys.append(feed_key)
    return tuple(keys)


def rule_of(key: str) -> str:
    """The name of the rule by which a key joins: ``org-code``, ``licence-no``, ``owner``, …"""
    return _RULES.get(key.partition(":")[0], "record")


def assign(
    claims: Sequence[Claim], known: Mapping[str, str], entered: Mapping[str, str]
) -> Assignment:
    """Decide for each claim, in order, which employer it is about.

    ``known``: key → employer. ``entered``: employer → its key in the register, for every employer
    in ``known`` that has one: an employer stands in the register once, so a second register
    number claiming its code makes an employer of its own and a conflict for people.

    The strongest known key decides; keys nobody has are linked to that employer; keys of another
    employer stay where they are and make a conflict.
    """
    result = Assignment()
    owner_of = dict(known)
    entry_of = dict(entered)
    for index, claim in enumerate(claims):
        entry = claim.keys[0] if claim.keys[0].startswith(AGENCY) else None
        employer, matched = "", ""
        for key in claim.keys:
            owner = owner_of.get(key)
            if owner is not None and (entry is None or entry_of.get(owner, entry) == entry):
                employer, matched = owner, key
                break
        if not employer:
            employer = f"new:{len(result.minted)}"
            result.minted[employer] = index
        if entry is not None:
            entry_of[employer] = entry
        result.employers.append(employer)
        for key in claim.keys:
            owner = owner_of.setdefault(key, employer)
            if owner != employer:
                result.conflicts.append(Conflict(index, key, owner, employer))
            elif key not in known and key not in result.links:
                rule = "register" if entry is not None else rule_of(matched or key)
                result.links[key] = Joined(employer, rule, index, matched or claim.keys[0])
    return result


def plain(text: str) -> str:
    """Letters, digits and characters only, of one width and case: what two offices write alike."""
    folded = unicodedata.normalize("NFKC", text).upper()
    return folded if folded.isalnum() else "".join(filter(str.isalnum, folded))


def grams(name: str) -> list[str]:
    """The pairs of neighbouring characters of a name's ``plain`` form, each once: what names are
    searched by. One character alone is its own."""
    return grams_of(plain(name))


def grams_of(text: str) -> list[str]:
    """``grams`` of a name in its ``plain`` form."""
    if len(text) < 2:
        return [text] if text else []
    return list(dict.fromkeys(map(add, text, text[1:])))
