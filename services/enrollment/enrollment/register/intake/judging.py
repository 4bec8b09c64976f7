"""What the judges of the register's feeds share. Pure: values in, problems out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from operator import attrgetter
from typing import Protocol

import msgspec

from shared.crypto import SealedColumn, Secrecy
from shared.deliveries.checks import (
    Problems,
    org_code_in_tax_no,
    org_code_in_uscc,
)
from shared.deliveries.feed import JudgeContext, RowProblem
from shared.deliveries.persons import Sealed, Told, birth_and_sex, check_told
from shared.identifiers import IDENTITY_CARD, Problem, person_key_text

_PACK = msgspec.msgpack.Encoder().encode

Personal = tuple[str, bytes, date, str, str]
"""Person key, sealed number and name, birth date, sex, name hash."""


told_of = attrgetter("identity_kind", "birth_on", "sex")
CARD_ALONE = (IDENTITY_CARD, None, None)
"""``told_of`` most persons: a right number is then all there is to judge."""
_NUMBERS = ("org_code", "tax_no", "uscc", "licence_no", "owner_id")


class _EmployerNumbers(Protocol):
    """The fields the two employer records share."""

    @property
    def unit(self) -> str: ...
    @property
    def reg_type(self) -> str | None: ...
    @property
    def industry(self) -> str | None: ...
    @property
    def org_code(self) -> str | None: ...
    @property
    def tax_no(self) -> str | None: ...
    @property
    def uscc(self) -> str | None: ...
    @property
    def licence_no(self) -> str | None: ...
    @property
    def owner_id(self) -> str | None: ...


class _Named(Told, Protocol):
    @property
    def name(self) -> str: ...


def personal_of(records: Sequence[_Named], secrecy: Secrecy) -> list[Personal]:
    """The persons of checked records as they are kept, in order: hashed, sealed, with birth date
    and sex. About 4 µs each, of many.

    Both forms of an identity number give the same person key.
    """
    texts, kept, born = [], [], []
    for record in records:
        number = record.identity_no or ""
        if record.identity_kind == IDENTITY_CARD:
            # Most are, and there are 600,000: what the number tells is read off it.
            texts.append(number)
            kept.append(_PACK((number, record.name)))
            sex = "M" if number[16] in "13579" else "F"
            born.append((date.fromisoformat(number[6:14]), sex))
        else:
            texts.append(person_key_text(record.identity_kind, number, record.nationality))
            kept.append(_PACK(Sealed.of(record, record.name).kept))
            born.append(birth_and_sex(record))
    keys = secrecy.keyed_hashes(texts)
    sealed = secrecy.encrypt_all(zip(kept, map(_place, keys), strict=True))
    names = list({record.name for record in records})
    hashes = secrecy.keyed_hashes([f"name:{name}" for name in names])
    name_hash = dict(zip(names, hashes, strict=True))
    return [
        (key, cover, birth_on, sex, name_hash[record.name])
        for record, key, cover, (birth_on, sex) in zip(records, keys, sealed, born, strict=True)
    ]


def person_faults(record: Told, wrong: Problem | None, ctx: JudgeContext) -> Sequence[RowProblem]:
    """What is wrong with the person's number (``wrong``), paper, birth date and sex."""
    problems = Problems()
    problems.noted(wrong, "/identity_no")
    check_told(record, wrong, problems)
    problems.not_after(record.birth_on, ctx.today, "/birth_on")
    return problems


def unsealed(sealed: bytes, person_key: str, secrecy: Secrecy) -> Sealed:
    """Number and name of a person, and the paper they are known by. Raises SecrecyError."""
    return Sealed(*msgspec.msgpack.decode(secrecy.decrypt(sealed, _place(person_key))))


def _place(person_key: str) -> bytes:
    return person_key.encode()


SEALED_PERSONS = SealedColumn("persons", "sealed", ("person_key",), _place)


def _place_of_name(person_key: str, _before: str, _told: str) -> bytes:
    return _place(person_key)


SEALED_NAMES = tuple(
    SealedColumn("person_names", column, ("person_key", "name_before", "name_told"), _place_of_name)
    for column in ("sealed_before", "sealed_told")
)


def unit_faults(ctx: JudgeContext) -> dict[str, RowProblem | None]:
    """A memo for ``unit_fault``: units repeat within a chunk."""
    return _UnitFaults(ctx)


class _UnitFaults(dict[str, RowProblem | None]):
    def __init__(self, ctx: JudgeContext) -> None:
        super().__init__()
        self._ctx = ctx

    def __missing__(self, unit: str) -> RowProblem | None:
        problems = Problems()
        problems.unit(unit, "/unit", self._ctx)
        self[unit] = found = problems[0] if problems else None
        return found


def employer_problems(records: Sequence[_EmployerNumbers], ctx: JudgeContext) -> list[Problems]:
    """What is wrong with each employer record's unit, codes and numbers. Those that contain an
    organisation code agree with the one stated (F12)."""
    found = []
    for index, record in enumerate(records):
        problems = Problems()
        problems.unit(record.unit, "/unit", ctx)
        problems.trade(record.reg_type, record.industry, ctx)
        for name in _NUMBERS:
            problems.noted(ctx.numbers[name][index], f"/{name}")
        if not problems:
            stated = record.org_code
            problems.inside(stated, org_code_in_tax_no(record.tax_no), "/org_code")
            problems.inside(stated, org_code_in_uscc(record.uscc), "/org_code")
        found.append(problems)
    return found


def org_code_of(record: _EmployerNumbers) -> str | None:
    """The organisation code of a checked record, stated or contained in another number."""
    return (
        record.org_code
        or org_code_in_tax_no(record.tax_no)
        or org_code_in_uscc(record.uscc)
        or org_code_in_uscc(record.licence_no)
    )
