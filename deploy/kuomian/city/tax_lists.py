"""The lists of the tax office besides money: registrations, the unenrolled, headcounts, plans to
clear arrears, audits, people without wage, reviews and pre-levies (O38, O40–O48).

They draw from a source of chance of their own, so that adding a list tells no other story of the
rest of the city.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from kuomian.city import money, names
from kuomian.city.firms import Firm
from kuomian.city.numbers import wrong_check
from kuomian.city.people import ACTIVE
from kuomian.city.representatives import representative
from kuomian.city.shape import (
    BASE_SHARE,
    GROUPS,
    INDIVIDUAL_RATE,
    MEAN_WAGE_FEN,
    POOLED_RATE,
)
from shared.periods import Month

if TYPE_CHECKING:
    from kuomian.city.story import Builder

Row = dict[str, Any]

_BASE_FEN = round(MEAN_WAGE_FEN * BASE_SHARE / 12)
"""Base of one person and month."""
_FIRM_TAX_NO = 15
_MESSY = ("2008-06", "2008-08")
"""Months in which lists are sent with mess, mended a week later."""
_LATE = ("2008-09", "headcounts")
_LATE_PRE_LEVIES = "2008-08"
_PER_MONTH = {"clearing-plans": 60, "base-audits": 25, "no-wage": 150, "reviews": 30, "levies": 80}
"""In the whole city."""


class TaxLists:
    """地税's lists of each month."""

    def __init__(self, b: Builder, seed: int) -> None:
        self.b = b
        self.rng = Random(f"lists of {seed}")
        self._numbers: dict[str, int] = {}
        self._levied: dict[str, tuple[Firm, Row]] = {}
        self._planned: set[int] = set()

    def end_month(self, month: Month, new: list[Firm], last: bool) -> None:
        """The month's lists go out early in the next month."""
        on = month.last_on + timedelta(days=4)
        late = month.last_on + timedelta(days=9)
        lists: tuple[tuple[str, str, Iterator[Row], Callable[[Row], Row] | None], ...] = (
            (
                "tax-registrations",
                "税务登记与参保告知",
                self._registrations(month, new),
                _told_late,
            ),
            ("unenrolled-employers", "未参保单位名单", self._unenrolled(month), _one_more),
            ("headcounts", "计税与缴费人数", self._headcounts(month), _one_more),
            ("clearing-plans", "清欠计划", self._clearing(month), None),
            ("base-audits", "缴费基数稽核", self._audits(month), _dearer("audited_base")),
            ("no-wage-persons", "未领取工资人员", self._no_wage(month), _dearer("individual_base")),
            ("deduction-reviews", "税前列支审核", self._reviews(month), _dearer("accrued")),
        )
        for at, (feed, title, rows, spoil) in enumerate(lists):
            sent_on = late if (str(month), feed) == _LATE else on
            self.b.planted["late-list"] += sent_on == late
            self._send(feed, title, str(month), list(rows), sent_on, 10 + at // 2, spoil, last)

    def _send(
        self,
        feed: str,
        title: str,
        period: str,
        rows: list[Row],
        on: date,
        hour: int,
        spoil: Callable[[Row], Row] | None,
        last: bool,
    ) -> None:
        """A month's list, with mess in some months: wrong numbers and wrong content, both set
        right a week later beside rows that come a second time."""
        b, sent = self.b, list(rows)
        again: list[Row] = []
        for row in rows:
            b.truth.add(feed, row["unit"], on, 1)
        wrong = corrected = same = 0
        if period in _MESSY and not last:
            # A household's number has no check digit of its own at its end.
            firms = [at for at, row in enumerate(rows) if len(row["tax_no"]) == _FIRM_TAX_NO]
            some = min(b.some(6), len(firms) // 3)
            for at in firms[:some]:
                sent[at] = rows[at] | {"tax_no": wrong_check(rows[at]["tax_no"])}
                wrong += 1
            for at in firms[some : 2 * some]:
                if spoil is not None:
                    sent[at] = spoil(rows[at])
                    corrected += 1
            again = [rows[at] for at in firms[: 3 * some]]
            same = len(again) - wrong - corrected
        b.planted["wrong-check-digit"] += wrong
        b.planted["correction"] += corrected
        b.planted["duplicate"] += same
        b.send(on, hour, "tax", feed, period, sent, title, expect={"rejected": wrong})
        if again:
            b.send(
                on + timedelta(days=7), hour, "tax", feed, period, again, f"{title}（更正）",
                expect={"duplicate": same},
            )  # fmt: skip

    def _number(self, stem: str) -> str:
        self._numbers[stem] = self._numbers.get(stem, 0) + 1
        return f"{stem}-2008-{self._numbers[stem]:05d}"

    def _firms(self) -> Iterator[Firm]:
        for shape in self.b.shapes:
            yield from self.b.enterprises[shape.code]

    def _sample(self, firms: list[Firm], kind: str) -> list[Firm]:
        return self.rng.sample(firms, min(len(firms), self.b.some(_PER_MONTH[kind], 3)))

    def _registrations(self, month: Month, new: list[Firm]) -> Iterator[Row]:
        """One new taxpayer in seven is not told to enrol."""
        for firm in new:
            on = min(firm.licensed_on + timedelta(days=self.rng.randint(0, 6)), month.last_on)
            row = _whose(firm) | _represented(firm)
            row |= {"reg_type": firm.reg_type, "industry": firm.industry, "registered_on": on}
            yield row | {"notified_on": on} if firm.number % 7 else row

    def _unenrolled(self, month: Month) -> Iterator[Row]:
        """Each unenrolled enterprise is met with once in seven months."""
        for firm in self._firms():
            if not firm.enrolled_on and firm.number % 7 == month.first_on.month % 7:
                found_on = month.first_on.replace(day=self.rng.randint(1, 28))
                yield unenrolled_row(firm, month, found_on)

    def _headcounts(self, month: Month) -> Iterator[Row]:
        """Of those that deduct before tax: every other larger payer."""
        for firm in self._firms():
            if firm.insured > 0 and firm.headcount >= 30 and firm.number % 2:
                yield _whose(firm) | {
                    "period": str(month),
                    "taxable_headcount": max(firm.headcount, firm.insured),
                    "contributing_headcount": firm.insured,
                }

    def _clearing(self, month: Month) -> Iterator[Row]:
        """Plans of three instalments, of debtors that have none yet."""
        debtors = [
            firm
            for firm in self._firms()
            if firm.arrears_fen > 3 and firm.number not in self._planned
        ]
        for firm in self._sample(debtors, "clearing-plans"):
            self._planned.add(firm.number)
            plan_no, due = self._number("QQ"), month
            for no in (1, 2, 3):
                due = due.next()
                part = firm.arrears_fen // 3
                self.b.truth.add("clearing-plans-fen", firm.unit, month.last_on, part)
                yield _whose(firm) | {
                    "plan_no": plan_no,
                    "instalment_no": no,
                    "agreed_on": month.last_on,
                    "due_on": due.last_on,
                    "amount": money.yuan(part),
                }

    def _audits(self, month: Month) -> Iterator[Row]:
        payers = [firm for firm in self._firms() if firm.insured > 0]
        for firm in self._sample(payers, "base-audits"):
            base = firm.insured * _BASE_FEN
            yield _whose(firm) | {
                "audit_no": self._number("JH"),
                "audited_on": month.last_on,
                "from_month": str(month),
                "to_month": str(month),
                "declared_base": money.yuan(round(base * 0.8)),
                "audited_base": money.yuan(base),
            }

    def _no_wage(self, month: Month) -> Iterator[Row]:
        """People of the opening register whose employers paid no wage."""
        seen = set()
        for _ in range(self.b.some(_PER_MONTH["no-wage"], 4)):
            register = self.b.registers[self.rng.choice(self.b.shapes).code]
            at = self.rng.randrange(len(register))
            firm = register.firms[register.firm[at]] if register.firm[at] >= 0 else None
            person = register.identity[at]
            if firm is None or not firm.org_code or register.status[at] != ACTIVE:
                continue
            if person in seen:
                continue
            seen.add(person)
            part = round(_BASE_FEN * POOLED_RATE)
            self.b.truth.add("no-wage-employer-fen", firm.unit, month.last_on, part)
            yield _whose(firm) | {
                "month": str(month),
                "identity_no": person,
                "person_name": names.person(register.first_number + at),
                "individual_base": money.yuan(_BASE_FEN),
            }

    def _reviews(self, month: Month) -> Iterator[Row]:
        """The month and the one before, of payers that accrued more than they paid."""
        payers = [firm for firm in self._firms() if firm.insured > 0]
        for firm in self._sample(payers, "reviews"):
            review_no = self._number("LZ")
            for reviewed in (month.previous(), month):
                accrued = round(firm.headcount * _BASE_FEN * POOLED_RATE)
                yield _whose(firm) | {
                    "review_no": review_no,
                    "month": str(reviewed),
                    "reviewed_on": month.last_on,
                    "taxable_headcount": max(firm.headcount, firm.insured),
                    "contributing_headcount": firm.insured,
                    "accrued": money.yuan(accrued),
                    "paid": money.yuan(round(accrued * firm.pays)),
                }

    def pre_levies(self, month: Month) -> None:
        """The list of the 20th (O48): new levies, and how the earlier ones went on (O47)."""
        b, rng = self.b, self.rng
        late = str(month) == _LATE_PRE_LEVIES
        sent_on = month.first_on.replace(day=22 if late else 18)
        b.planted["late-list"] += late
        rows = [row for firm, row in self._levied.values() if self._went_on(firm, row, sent_on)]
        idle = [
            firm
            for firm in self._firms()
            if not firm.enrolled_on and firm.unit not in GROUPS and firm.tax_no not in self._levied
        ]
        for firm in self._sample(idle, "levies"):
            base = firm.headcount * _BASE_FEN
            row = _whose(firm) | {
                "levy_no": self._number("XX"),
                "month": str(month),
                "levied_on": month.first_on.replace(day=rng.randint(2, 17)),
                "taxable_headcount": firm.headcount,
                "base": money.yuan(base),
                "pooled": money.yuan(round(base * POOLED_RATE)),
            }
            self._levied[firm.tax_no] = firm, row
            rows.append(row)
            b.truth.add("pre-levies", firm.unit, sent_on, 1)
            b.truth.add("pre-levies-fen", firm.unit, sent_on, money.fen(row["pooled"]))
        b.send(sent_on, 9, "tax", "pre-levies", str(month), rows, "先行征收名单")

    def _went_on(self, firm: Firm, row: Row, sent_on: date) -> bool:
        """Enrolled since the last list: so stated; stated so before: settled."""
        if "settled_on" in row:
            return False
        if "enrolled_on" in row:
            row["settled_on"] = sent_on
            row["individual"] = money.yuan(round(money.fen(row["base"]) * INDIVIDUAL_RATE))
            return True
        enrolled_on = firm.enrolled_on
        if enrolled_on is None or not row["levied_on"] <= enrolled_on <= sent_on:
            return False
        row["enrolled_on"] = enrolled_on
        return True


def unenrolled_row(firm: Firm, month: Month, found_on: date) -> Row:
    """An ``unenrolled-employers`` record."""
    return (
        _whose(firm)
        | _represented(firm)
        | {
            "period": str(month),
            "taxable_headcount": firm.headcount,
            "found_on": found_on,
            "reg_type": firm.reg_type,
            "industry": firm.industry,
        }
    )


def _represented(firm: Firm) -> Row:
    return {} if firm.household else {"legal_rep": representative(firm)}


def _whose(firm: Firm) -> Row:
    return {"name": firm.name, "unit": firm.unit, "tax_no": firm.tax_no}


def _one_more(row: Row) -> Row:
    return row | {"taxable_headcount": row["taxable_headcount"] + 1}


def _told_late(row: Row) -> Row:
    """Sent without the notice that was given, or with one that was not."""
    if "notified_on" in row:
        return {name: value for name, value in row.items() if name != "notified_on"}
    return row | {"notified_on": row["registered_on"]}


def _dearer(field: str) -> Callable[[Row], Row]:
    return lambda row: row | {field: money.yuan(money.fen(row[field]) + 100_00)}
