"""Who a record is about: the paper a person is known by, told the same way in every feed. Pure.

An identity number tells birth date and sex; every other paper leaves them to the record. The
fields are ``shared.deliveries.fields``': ``PersonNo``, ``IdentityKind``, ``Nationality``,
``BirthOn``, ``Sex``.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple, Protocol

from shared import identifiers
from shared.crypto import Secrecy
from shared.deliveries.checks import Problems
from shared.identifiers import IDENTITY_CARD, IdentityKind


class Documented(Protocol):
    """A record that may name a person by the number of a paper."""

    @property
    def identity_no(self) -> str | None: ...
    @property
    def identity_kind(self) -> IdentityKind: ...
    @property
    def nationality(self) -> str | None: ...


class Told(Documented, Protocol):
    """One that may also tell what a number does not."""

    @property
    def birth_on(self) -> date | None: ...
    @property
    def sex(self) -> str | None: ...


class Sealed(NamedTuple):
    """What is kept of a person encrypted. What was kept of cards before there were other papers
    has the first two alone."""

    number: str
    """Empty where none was told."""
    name: str
    kind: IdentityKind = "identity-card"
    nationality: str | None = None

    @classmethod
    def of(cls, record: Documented, name: str) -> Sealed:
        """As the record, its number in normal form, tells it."""
        return cls(record.identity_no or "", name, record.identity_kind, record.nationality)

    @property
    def kept(self) -> tuple[Any, ...]:
        """The values as they are encoded; of a card the two there have always been."""
        return tuple(self)[:2] if self.kind == IDENTITY_CARD else tuple(self)


def check_document(record: Documented, problems: Problems) -> None:
    """A passport names the state that issued it, and no paper is without its number."""
    if record.identity_kind == IDENTITY_CARD:
        return
    if record.identity_no is None:
        problems.add("field-missing", "/identity_no", field="identity_no")
    if record.identity_kind == "passport" and record.nationality is None:
        problems.add("field-missing", "/nationality", field="nationality")


def check_told(record: Told, wrong: identifiers.Problem | None, problems: Problems) -> None:
    """Birth date and sex are told where the number does not tell them, and agree with it where it
    does. ``wrong``: what is wrong with the number, in which case it tells nothing."""
    check_document(record, problems)
    card = record.identity_no if record.identity_kind == IDENTITY_CARD else None
    if card is not None and wrong is not None:
        return
    for name, inside in (
        ("sex", None if card is None else identifiers.identity_sex(card)),
        ("birth_on", None if card is None else identifiers.identity_birth_on(card)),
    ):
        stated = getattr(record, name)
        if stated is None and inside is None:
            problems.add("field-missing", f"/{name}", field=name)
        elif stated is not None and inside is not None and stated != inside:
            problems.add("identity-differs", f"/{name}")  # quotes nothing of the person


def person_key_of(record: Documented, secrecy: Secrecy) -> str | None:
    """The keyed hash by which a person is known everywhere; None without a number. The number is
    right and in its normal form."""
    if record.identity_no is None:
        return None
    number, kind = record.identity_no, record.identity_kind
    return secrecy.keyed_hash(identifiers.person_key_text(kind, number, record.nationality))


def birth_and_sex(record: Told) -> tuple[date, str]:
    """As the record tells them, or its identity number does."""
    card = record.identity_no or ""
    birth_on = record.birth_on or identifiers.identity_birth_on(card)
    return birth_on, record.sex or identifiers.identity_sex(card)
