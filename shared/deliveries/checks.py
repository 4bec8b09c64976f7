"""Judgements every feed needs, each once: units, dates, money, identifiers, keys.

All are pure: values in, problems out. A feed's judge strings them together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import msgspec

from shared import identifiers
from shared.crypto import Secrecy
from shared.deliveries.feed import JudgeContext, RowProblem
from shared.money import MoneyError, fen_from_yuan

_PACK = msgspec.msgpack.Encoder(decimal_format="string").encode


class Problems(list[RowProblem]):
    """The problems of one record, gathered field by field so that a sender sees them all."""

    def add(self, code: str, pointer: str, **params: str) -> None:
        """Note one problem at a JSON pointer."""
        self.append(RowProblem(code, pointer, params))

    def unit(self, unit: str, pointer: str, ctx: JudgeContext) -> None:
        """The unit is one of the plan's, and one the sender may speak for."""
        if not ctx.plan.has_unit(unit):
            self.add("unit-unknown", pointer, value=unit)
        elif ctx.delivery.units is not None and unit not in ctx.delivery.units:
            self.add("unit-not-yours", pointer, value=unit)

    def not_after(
        self, on: date | None, limit: date, pointer: str, code: str = "date-in-future"
    ) -> None:
        """The date is not later than ``limit`` (inclusive)."""
        if on is not None and on > limit:
            self.add(code, pointer, value=on.isoformat(), limit=limit.isoformat())

    def fen(self, yuan: Decimal, pointer: str, minimum: int | None = 0) -> int:
        """Yuan as integer fen; 0 with a problem noted where it is no sum of money."""
        try:
            fen = fen_from_yuan(yuan)
        except MoneyError:
            self.add("money-invalid", pointer, value=str(yuan))
            return 0
        if minimum is not None and fen < minimum:
            self.add("value-out-of-range", pointer, value=str(yuan), minimum=str(minimum / 100))
        return fen

    def checked(
        self,
        value: str | None,
        pointer: str,
        check: Callable[[str], identifiers.Problem | None],
    ) -> None:
        """An identifier passes its own check; a failing check digit is named."""
        if value is None:
            return
        found = check(value)
        if found is None:
            return
        code = "check-digit-wrong" if found.code.endswith("check_digit") else "identifier-invalid"
        self.add(code, pointer, expected=found.expected, zh=found.zh, en=found.en)

    def org_code(self, value: str | None, pointer: str) -> None:
        """An organisation code, with or without its printed hyphen, passes its check."""
        plain = None if value is None else identifiers.normalise_org_code(value)
        self.checked(plain, pointer, identifiers.check_org_code)

    def licence_no(self, value: str | None, pointer: str) -> None:
        """A registration number of 13 or 15 digits, or an 18-character code."""
        uscc = value is not None and len(value) == 18
        self.checked(value, pointer, identifiers.check_uscc if uscc else identifiers.check_reg_no)

    def coded(self, value: str | None, pointer: str, known: bool) -> None:
        """A code stands in the plan's list."""
        if value is not None and not known:
            self.add("code-unknown", pointer, value=value)


def content_hash(record: msgspec.Struct) -> bytes:
    """16 bytes over what the record states: equal content, equal bytes."""
    return hashlib.blake2b(_PACK(record), digest_size=16).digest()


def org_code_of(
    org_code: str | None, tax_no: str | None = None, uscc: str | None = None
) -> str | None:
    """The 9-character organisation code, stated or contained in the other numbers."""
    if org_code is not None:
        return identifiers.normalise_org_code(org_code)
    if tax_no is not None and (inner := identifiers.org_code_from_tax_no(tax_no)) is not None:
        return inner
    return identifiers.org_code_from_uscc(uscc) if uscc is not None else None


def employer_key_of(
    secrecy: Secrecy,
    *,
    org_code: str | None = None,
    licence_no: str | None = None,
    owner_id: str | None = None,
    tax_no: str | None = None,
) -> str | None:
    """``oc:`` organisation code, else ``lic:`` licence number, else ``own:`` keyed hash of the
    owner's identity number (given, or contained in a household's tax number); else None."""
    if org_code is not None:
        return identifiers.employer_key(org_code=org_code)
    if licence_no is not None:
        return identifiers.employer_key(licence_no=licence_no)
    return owner_key_of(secrecy, owner_id=owner_id, tax_no=tax_no)


def owner_key_of(
    secrecy: Secrecy, *, owner_id: str | None = None, tax_no: str | None = None
) -> str | None:
    """``own:`` keyed hash of a household owner's identity number, given or contained in the
    tax number; None where there is none. What joins a licence to a household's tax number."""
    owner = owner_id or (identifiers.owner_identity_from_tax_no(tax_no) if tax_no else None)
    if owner is None:
        return None
    full = owner if len(owner) == 18 else identifiers.identity_18_from_15(owner)
    return identifiers.employer_key(owner_hash=secrecy.keyed_hash(full))
