"""Whom a record of the tax office is about: one judgement for all feeds. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from shared.deliveries.checks import (
    Problems,
    employer_key_of,
    org_code_in_tax_no,
    org_code_in_uscc,
)
from shared.deliveries.feed import JudgeContext


class Numbered(Protocol):
    """A record that says by numbers which employer it is about."""

    @property
    def tax_no(self) -> str | None: ...
    @property
    def org_code(self) -> str | None: ...


class Employer(NamedTuple):
    """Whom a record is about, and what is wrong with the numbers that say so."""

    key: str
    org_code: str | None
    problems: Problems


def employers_of(
    records: Sequence[Numbered],
    ctx: JudgeContext,
    licence_nos: Sequence[str | None] | None = None,
) -> list[Employer]:
    """The employer of each record; a problem is noted where none can be told.
    ``licence_nos``: of the feeds that have them."""
    licence_nos = licence_nos or [None] * len(records)
    tax_nos, org_codes = ctx.numbers["tax_no"], ctx.numbers["org_code"]
    licences = ctx.numbers.get("licence_no", [None] * len(records))
    employers = []
    for index, record in enumerate(records):
        problems = Problems()
        problems.noted(tax_nos[index], "/tax_no")
        problems.noted(org_codes[index], "/org_code")
        problems.noted(licences[index], "/licence_no")
        if problems:
            employers.append(Employer("", None, problems))
            continue
        employers.append(_employer(record.tax_no, record.org_code, licence_nos[index], ctx))
    return employers


def _employer(
    tax_no: str | None, org_code: str | None, licence_no: str | None, ctx: JudgeContext
) -> Employer:
    """From numbers that passed their checks."""
    problems = Problems()
    inside = org_code_in_tax_no(tax_no) or org_code_in_uscc(licence_no)
    problems.inside(org_code, inside, "/org_code")
    code = org_code or inside
    key = employer_key_of(ctx.secrecy, org_code=code, licence_no=licence_no, tax_no=tax_no)
    if key is None:
        problems.add("key-missing", "")
    return Employer(key or "", code, problems)
