"""The numbers by which a record names an employer, judged over a batch. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from enrollment.identity.rules import keys_of
from shared.deliveries.checks import (
    Problems,
    org_code_in_uscc,
)
from shared.deliveries.feed import JudgeContext


class _Numbered(Protocol):
    """A record that may name an employer by its numbers."""

    @property
    def unit(self) -> str: ...
    @property
    def org_code(self) -> str | None: ...
    @property
    def licence_no(self) -> str | None: ...


def problems_of(records: Sequence[_Numbered], ctx: JudgeContext) -> list[Problems]:
    """What is wrong with each record's unit and employer numbers."""
    org_codes, licences = ctx.numbers["org_code"], ctx.numbers["licence_no"]
    found = []
    for record, org_code, licence in zip(records, org_codes, licences, strict=True):
        problems = Problems()
        problems.unit(record.unit, "/unit", ctx)
        problems.noted(org_code, "/org_code")
        problems.noted(licence, "/licence_no")
        if org_code is None and licence is None:
            inside = org_code_in_uscc(record.licence_no)
            problems.inside(record.org_code, inside, "/org_code")
        found.append(problems)
    return found


def employer_key(org_code: str | None, licence_no: str | None) -> str | None:
    """The strongest key a record has for its employer (``oc:``, ``lic:``), None without one."""
    keys = keys_of(org_code, licence_no, None)
    return keys[0] if keys else None


def org_code_of(record: _Numbered) -> str | None:
    """The organisation code of a checked record, stated or inside an 18-character code."""
    return record.org_code or org_code_in_uscc(record.licence_no)
