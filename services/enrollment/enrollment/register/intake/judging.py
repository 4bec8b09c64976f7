"""What the judges of the register's feeds share. Pure: values in, problems out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

import msgspec

from shared import identifiers
from shared.crypto import SealedColumn, Secrecy
from shared.deliveries.checks import (
    Problems,
    identity_findings,
    licence_findings,
    org_code_findings,
    org_code_in_tax_no,
    org_code_in_uscc,
    plain_org_code,
    tax_no_findings,
)
from shared.deliveries.feed import JudgeContext, RowProblem
from shared.identifiers.batch import identity_problems

_PACK = msgspec.msgpack.Encoder().encode

Personal = tuple[str, bytes, date, str, str]
"""Person key, sealed number and name, birth date, sex, name hash."""


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


def identity_faults(numbers: Sequence[str], today: date) -> list[RowProblem | None]:
    """What is wrong with each identity number, naming the right check digit where that is it."""
    return [
        None
        if fault is None
        else RowProblem(
            "check-digit-wrong" if fault.code == "check_digit" else "identity-invalid",
            "/identity_no",
            {"expected": fault.expected, "zh": fault.zh, "en": fault.en},
        )
        for fault in identity_problems(numbers, today)
    ]


def personal_of(number: str, name: str, secrecy: Secrecy) -> Personal:
    """A valid identity number and a name as they are kept: hashed, sealed, read for birth and sex.

    Both forms of a number give the same person key.
    """
    if len(number) == 15:
        number = identifiers.identity_18_from_15(number)
    key = secrecy.keyed_hash(number)
    return (
        key,
        secrecy.encrypt(_PACK((number, name)), _place(key)),
        date(int(number[6:10]), int(number[10:12]), int(number[12:14])),
        "M" if int(number[16]) % 2 else "F",
        secrecy.keyed_hash(f"name:{name}"),
    )


def unsealed(sealed: bytes, person_key: str, secrecy: Secrecy) -> tuple[str, str]:
    """Identity number and name of a person. Raises SecrecyError."""
    number, name = msgspec.msgpack.decode(
        secrecy.decrypt(sealed, _place(person_key)), type=tuple[str, str]
    )
    return number, name


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
    """What is wrong with each employer record's unit, codes and numbers. Numbers are checked over
    the batch; those that contain an organisation code agree with the one stated (F12)."""
    org_codes = org_code_findings([record.org_code for record in records])
    tax_nos = tax_no_findings([record.tax_no for record in records], ctx.today)
    usccs = licence_findings([record.uscc for record in records])
    licences = licence_findings([record.licence_no for record in records])
    owners = identity_findings([record.owner_id for record in records], ctx.today)
    found = []
    for index, record in enumerate(records):
        problems = Problems()
        problems.unit(record.unit, "/unit", ctx)
        problems.trade(record.reg_type, record.industry, ctx)
        problems.noted(org_codes[index], "/org_code")
        problems.noted(tax_nos[index], "/tax_no")
        problems.noted(usccs[index], "/uscc")
        problems.noted(licences[index], "/licence_no")
        problems.noted(owners[index], "/owner_id")
        if not problems:
            stated = plain_org_code(record.org_code)
            problems.inside(stated, org_code_in_tax_no(record.tax_no), "/org_code")
            problems.inside(stated, org_code_in_uscc(record.uscc), "/org_code")
        found.append(problems)
    return found


def org_code_of(record: _EmployerNumbers) -> str | None:
    """The organisation code of a checked record, stated or contained in another number."""
    return (
        plain_org_code(record.org_code)
        or org_code_in_tax_no(record.tax_no)
        or org_code_in_uscc(record.uscc)
        or org_code_in_uscc(record.licence_no)
    )
