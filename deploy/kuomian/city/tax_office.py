"""The tax office, month by month: money, arrears and joint checks."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from kuomian.city import money
from kuomian.city.firms import OPENING_ON, Firm
from kuomian.city.numbers import LAST_ORG_CODE, org_code, wrong_check
from shared.periods import Dekad, Month

if TYPE_CHECKING:
    from kuomian.city.story import Builder


class TaxOffice:
    """地税: joint checks and arrears a month, receipts a dekad."""

    def __init__(self, b: Builder) -> None:
        self.b = b
        self._waiting: dict[int, list[dict[str, Any]]] = {1: [], 2: [], 3: []}
        self._next: list[dict[str, Any]] = []
        self._next_duplicates = 0
        self._owed: dict[int, tuple[str, int]] = {}
        self._spoiled: set[str] = set()
        self._purses = {
            shape.code: self._purse(shape.code, at) for at, shape in enumerate(b.shapes)
        }

    def _purse(self, unit: str, at: int) -> money.Purse:
        b = self.b
        shape = b.shapes[at]
        employees = sum(firm.insured for firm in b.enterprises[unit])
        others = max(1, shape.active - employees)
        duty = b.plan.target("pooled-fund", unit).duty * b.scale
        reached = 0.93 + 0.11 * ((at * 7) % 5) / 4
        window = Firm(
            number=LAST_ORG_CODE - at, unit=unit, prefix=shape.prefix,
            name=f"{shape.name}示例社会保险代征窗口", reg_type="110", industry="83",
            licensed_on=date(2000, 1, 1), headcount=1, org_code=org_code(LAST_ORG_CODE - at),
            licence_no="", owner_id=None, agency_no=f"SW{at:07d}", enrolled_on=date(2000, 1, 1),
        )  # fmt: skip
        b.windows.append(window)
        return money.Purse(
            unit, money.pooled_per_person(duty / 12 * reached, employees, others), window, others
        )

    def opening(self, on: date) -> None:
        """January to April: money already in, and the arrears of each month."""
        month = Month.parse("2008-01")
        while month.last_on <= OPENING_ON:
            self._collect(month)
            listed = [*self._take_next(), *(r for part in (1, 2, 3) for r in self._waiting[part])]
            self._waiting = {1: [], 2: [], 3: []}
            self._send_receipts(f"{month}-D3", listed, on, 9, last=False)
            self._send_arrears(month, on, 10)
            month = month.next()

    def begin_month(self, month: Month) -> None:
        """The month's receipts come in, day by day."""
        self._collect(month)

    def _collect(self, month: Month) -> None:
        b, first_on = self.b, month.first_on
        for shape in b.shapes:
            for firm in b.enterprises[shape.code]:
                if not firm.enrolled_on:
                    continue
                purse = self._purses[shape.code]
                receipt = money.firm_month(b.rng, firm, purse, str(month), first_on)
                if receipt:
                    self._receive(receipt)
            purse = self._purses[shape.code]
            for receipt in money.window_month(b.rng, purse, str(month), first_on):
                self._receive(receipt)

    def _receive(self, receipt: dict[str, Any]) -> None:
        day = receipt["received_on"].day
        self._waiting[1 if day <= 10 else 2 if day <= 20 else 3].append(receipt)
        unit, on = receipt["collecting_unit"], receipt["received_on"]
        self.b.truth.add("pooled-fund", unit, on, money.fen(receipt["pooled"]))

    def dekad(self, dekad: Dekad, sent_on: date, last: bool) -> None:
        """The dekad's receipts, with what has to be mended of the one before."""
        part = int(str(dekad)[-1])
        listed = [*self._take_next(), *self._waiting[part]]
        self._waiting[part] = []
        self._send_receipts(str(dekad), listed, sent_on, 17, last=last)

    def _take_next(self) -> list[dict[str, Any]]:
        taken, self._next = self._next, []
        return taken

    def _send_receipts(
        self, period: str, listed: list[dict[str, Any]], on: date, hour: int, *, last: bool
    ) -> None:
        b, duplicates = self.b, self._next_duplicates
        self._next_duplicates = 0
        sent, rejected = [], 0
        for receipt in listed:
            luck = 1.0 if last or receipt.get("mended") else b.rng.random()
            if luck < 0.001 and "tax_no" in receipt:
                sent.append(receipt | {"tax_no": wrong_check(receipt["tax_no"])})
                self._next.append(receipt | {"mended": True})
                b.planted["wrong-check-digit"] += 1
                rejected += 1
            elif luck < 0.003:
                wrong = money.yuan(money.fen(receipt["pooled"]) + 1_000_00)
                sent.append(receipt | {"pooled": wrong})
                self._next.append(receipt | {"mended": True})
                b.planted["correction"] += 1
            elif luck < 0.006:
                sent.append(receipt)
                self._next.append(receipt | {"mended": True})
                self._next_duplicates += 1
                b.planted["duplicate"] += 1
            elif luck < 0.007:
                sent.append(receipt)
                self._next.append(receipt | {"mended": True, "cancelled": True})
                b.planted["cancelled"] += 1
                b.truth.add(
                    "pooled-fund", receipt["collecting_unit"], receipt["received_on"],
                    -money.fen(receipt["pooled"]),
                )  # fmt: skip
            else:
                sent.append({k: v for k, v in receipt.items() if k != "mended"})
        planned = b.send(
            on, hour, "tax", "receipts", period, sent, "缴款入库",
            expect={"rejected": rejected, "duplicate": duplicates},
        )  # fmt: skip
        if period == "2008-07-D2":
            b.send(
                on, hour + 1, "tax", "receipts", period, planned.body, "缴款入库（整批重推）",
                count=planned.records, expect=planned.expect, kind="again", key=planned.key,
            )  # fmt: skip
            b.planted["again"] += 1

    def end_month(self, month: Month, last: bool) -> None:
        """Arrears and joint checks of the month, early in the next."""
        on = month.last_on + timedelta(days=5)
        self._send_arrears(month, on, 10)
        checks, rejected = self._checks(month, last)
        b = self.b
        planned = b.send(
            on, 15, "tax", "employer-checks", str(month), checks, "税费同征同查",
            expect={"rejected": rejected},
        )  # fmt: skip
        if str(month) == "2008-08":
            b.send(
                on, 17, "tax", "employer-checks", str(month), planned.body, "税费同征同查（整批重推）",
                count=planned.records, expect=planned.expect, kind="again", key=planned.key,
            )  # fmt: skip
            b.planted["again"] += 1
        if str(month) == "2008-06":
            sound = [row for row in checks if row["tax_no"] not in self._spoiled]
            some = sound[:: max(1, len(sound) // b.some(120))]
            changed = [
                row | {"taxable_headcount": row["taxable_headcount"] + 1} for row in some[::2]
            ]
            same = some[1::2]
            b.planted["correction"] += len(changed)
            b.planted["duplicate"] += len(same)
            b.send(
                on + timedelta(days=6), 11, "tax", "employer-checks", str(month), changed + same,
                "税费同征同查（更正）", expect={"duplicate": len(same)},
            )  # fmt: skip

    def _checks(self, month: Month, last: bool) -> tuple[list[dict[str, Any]], int]:
        b, rows, rejected = self.b, [], 0
        for shape in b.shapes:
            purse = self._purses[shape.code]
            for firm in b.enterprises[shape.code]:
                hides = firm.insured > 0 and firm.number % 11 == 0
                due = firm.insured * purse.pooled_per_person
                row: dict[str, Any] = {
                    "period": str(month),
                    "name": firm.name,
                    "reg_type": firm.reg_type,
                    "industry": firm.industry,
                    "taxable_headcount": firm.insured
                    if hides
                    else max(firm.headcount, firm.insured),
                    "insured_headcount": firm.insured,
                    "due": money.yuan(due),
                    "paid": money.yuan(round(due * min(1.0, firm.pays + 0.14))),
                    "arrears": money.yuan(max(0, firm.arrears_fen)),
                    "collecting_unit": firm.unit,
                    "tax_no": firm.tax_no,
                    "tax_reg_date": firm.licensed_on,
                }
                if not last and b.rng.random() < 0.0008:
                    row["tax_no"] = wrong_check(firm.tax_no)
                    self._spoiled.add(row["tax_no"])
                    rejected += 1
                if str(month) == "2008-11" and firm.headcount > firm.insured > 0:
                    b.planted["understated"] += 1
                rows.append(row)
        b.planted["wrong-check-digit"] += rejected
        return rows, rejected

    def _send_arrears(self, month: Month, on: date, hour: int) -> None:
        b, rows, wrong = self.b, [], []
        as_at = month.last_on
        for shape in b.shapes:
            for firm in b.enterprises[shape.code]:
                if firm.org_code is None:
                    continue
                before_unit, before = self._owed.get(firm.number, ("", 0))
                owed = max(0, firm.arrears_fen)
                if not owed and not before:
                    continue
                if before:
                    b.truth.add("arrears-balance", before_unit, as_at, -before)
                if owed:
                    b.truth.add("arrears-balance", firm.unit, as_at, owed)
                self._owed[firm.number] = (firm.unit, owed)
                row = {
                    "month": str(month),
                    "name": firm.name,
                    "balance": money.yuan(owed),
                    "unit": firm.unit,
                    "org_code": firm.org_code,
                }
                if str(month) in ("2008-06", "2008-09") and b.rng.random() < 0.01:
                    rows.append(row | {"balance": money.yuan(owed + 500_00)})
                    wrong.append(row)
                else:
                    rows.append(row)
        b.send(on, hour, "tax", "arrears", str(month), rows, "欠费余额")
        if wrong:
            # After the following month's list, so that the later month has to be restated too.
            later = on + timedelta(days=calendar.monthrange(on.year, on.month)[1] + 4)
            b.planted["correction"] += len(wrong)
            b.send(later, 11, "tax", "arrears", str(month), wrong, "欠费余额（更正）")
