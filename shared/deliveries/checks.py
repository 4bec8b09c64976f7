"""Judgements every feed needs, each once: units, dates, money, identifiers, keys.

All are pure: values in, problems out. A feed's judge strings them together. Numbers have been
read over the whole chunk before (``shared.deliveries.numbers``): what was found is noted record
by record (``Problems.noted``) beside everything else that is wrong with it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from shared import identifiers
from shared.crypto import Secrecy
from shared.deliveries.feed import JudgeContext, RowProblem
from shared.money import MoneyError, fen_from_yuan, yuan
from shared.plan import Plan

CHECK_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "unit-unknown": (
        "没有代码为 {value} 的填报单位",
        "there is no reporting unit {value}",
    ),
    "unit-not-yours": (
        "您无权为填报单位 {value} 报送",
        "you may not report for unit {value}",
    ),
    "date-in-future": (
        "日期 {value} 晚于收到报送之日 {limit}",
        "{value} is later than the day the delivery came, {limit}",
    ),
    "period-mismatch": (
        "{value} 不属于本次报送的期间 {limit}",
        "{value} does not belong to the delivery's period {limit}",
    ),
    "money-invalid": (
        "数额 {value} 有误：只用数字和小数点；金额以元计，至多两位小数",
        "{value} is no plain amount: digits and a point; money is yuan with at most two decimals",
    ),
    "check-digit-wrong": ("校验码有误，应为 {expected}", "wrong check digit, should be {expected}"),
    "identifier-invalid": ("号码有误：{zh}", "not a valid number: {en}"),
    "org-code-differs": (
        "组织机构代码 {value} 与另一号码中所含的 {inside} 不一致",
        "organisation code {value} differs from {inside}, which stands inside another number",
    ),
    "code-unknown": ("代码 {value} 不在代码表内", "code {value} is not in the list"),
    "key-missing": (
        "缺少可识别用人单位的号码：组织机构代码、执照号或税务登记号",
        "no number tells which employer this is: organisation code, licence or tax number",
    ),
}
"""Codes noted here → (zh, en) over ``RowProblem.params``."""

_NUMBER_CODES: Final[Mapping[str, str]] = {
    "check_digit": "check-digit-wrong",
    "org_check_digit": "check-digit-wrong",
    "division_never": "division-never-existed",
}

_EARLIEST: Final = date(1949, 10, 1)


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

    def takes_effect(self, on: date, last_on: date, pointer: str) -> None:
        """A day something takes effect: none before the People's Republic, none more than a year
        after ``last_on``. A slip of the pen (2080 for 2008) would be applied and never count."""
        latest = last_on + timedelta(days=366)
        if not _EARLIEST <= on <= latest:
            bounds = {"minimum": _EARLIEST.isoformat(), "maximum": latest.isoformat()}
            self.add("value-out-of-range", pointer, **bounds)

    def fen(self, amount: Decimal, pointer: str, minimum: int | None = 0) -> int:
        """Yuan as integer fen, at least ``minimum`` fen; 0 with a problem noted where it is no
        sum of money."""
        try:
            fen = fen_from_yuan(amount)
        except MoneyError:
            self.add("money-invalid", pointer, value=str(amount)[:40])
            return 0
        if minimum is not None and fen < minimum:
            self.add("value-out-of-range", pointer, value=yuan(fen), minimum=yuan(minimum))
        return fen

    def noted(self, found: identifiers.Problem | None, pointer: str) -> None:
        """What a check found wrong with a number, if anything; the right check digit is named."""
        if found is None:
            return
        code = _NUMBER_CODES.get(found.code, "identifier-invalid")
        self.add(code, pointer, expected=found.expected, zh=found.zh, en=found.en)

    def period(self, value: str, pointer: str, ctx: JudgeContext) -> None:
        """The period a record states is its delivery's."""
        if value != ctx.delivery.period:
            self.add("period-mismatch", pointer, value=value, limit=ctx.delivery.period)

    def inside(self, org_code: str | None, inside: str | None, pointer: str) -> None:
        """A stated organisation code is the one that stands inside another number."""
        if org_code is not None and inside is not None and org_code != inside:
            self.add("org-code-differs", pointer, value=org_code, inside=inside)

    def coded(self, value: str | None, pointer: str, known: bool) -> None:
        """A code stands in the plan's list."""
        if value is not None and not known:
            self.add("code-unknown", pointer, value=value)

    def trade(self, reg_type: str | None, industry: str | None, ctx: JudgeContext) -> None:
        """Registration type and industry division, where given, stand in the plan's lists."""
        if reg_type is not None and not ctx.plan.has_registration_type(reg_type):
            self.add("code-unknown", "/reg_type", value=reg_type)
        if industry is not None and ctx.plan.find_division(industry) is None:
            self.add("code-unknown", "/industry", value=industry)


def content_hash(content: Any) -> bytes:
    """16 bytes over what a record states: equal content, equal bytes.

    Give it the judged row rather than the record as sent: money in fen, codes in one notation
    and no identity number, so that "1.5" and 1.50 are the same and nothing personal is hashed
    without a key.
    """
    return hashlib.blake2b(_PACK(content), digest_size=16).digest()


_PACK = msgspec.msgpack.Encoder(decimal_format="string").encode


def org_code_in_tax_no(tax_no: str | None) -> str | None:
    """The organisation code in a *checked* tax number; None in a household's, or without one."""
    if tax_no is not None and len(tax_no) == 15:
        return tax_no[6:]
    return org_code_in_uscc(tax_no)


def org_code_in_uscc(number: str | None) -> str | None:
    """The organisation code in a *checked* number where that is an 18-character code, else
    None."""
    return number[8:17] if number is not None and len(number) == 18 else None


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
    tax number; None where there is none. What joins a licence to a household's tax number.
    Numbers in their normal form."""
    owner = owner_id or (identifiers.owner_identity_from_tax_no(tax_no) if tax_no else None)
    if owner is None:
        return None
    return identifiers.employer_key(owner_hash=secrecy.keyed_hash(owner))


def legal_rep_of(secrecy: Secrecy, name: str | None) -> tuple[str | None, str | None]:
    """(masked, ``rep:`` keyed hash) of a legal representative's name; (None, None) without one.

    Every service that has the hash key makes the same of one name, however it is spaced or dotted,
    and nothing else of another. It says that two names are alike, not who anybody is.
    """
    if name is None:
        return None, None
    plain = _NAME_GAPS.sub("", unicodedata.normalize("NFKC", name)).upper()
    if not plain:
        return None, None
    return plain[0] + "*" * (len(plain) - 1), "rep:" + secrecy.keyed_hash(f"legal-rep:{plain}")


_NAME_GAPS: Final = re.compile(r"[\s.·•・‧∙]+")


def is_household(reg_type: str | None, plan: Plan) -> bool:
    """Whether the registration type is an individual business's (个体经营) by the plan's list."""
    return reg_type is not None and plan.ownership_of(reg_type) == "individual"
