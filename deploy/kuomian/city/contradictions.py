"""Firms that the offices contradict each other about, told in deliveries of their own.

Told after the rest of the story, for firms whose fate is known by then, so that it changes nothing
else: two organisation codes for one firm, numbers of two firms on one row, two firms of one name
and one representative, representatives that changed by a licence change.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from kuomian.city.firms import OPENING_ON, Firm
from kuomian.city.registry_office import code_record, licence_record
from kuomian.city.representatives import has_new_one, next_representative, second_code
from kuomian.city.shape import GROUPS
from kuomian.city.tax_lists import unenrolled_row
from shared.periods import Month

if TYPE_CHECKING:
    from kuomian.city.story import Builder

_AUGUST, _SEPTEMBER = Month.parse("2008-08"), Month.parse("2008-09")
_TWO_CODES, _TWO_ON_ONE_ROW, _NAMESAKES, _SUCCEEDED = 10, 5, 4, 8
"""In the whole city."""


class Pair(NamedTuple):
    """Two feed keys of firms that are one, or of two that look like one."""

    one: str
    other: str


class Contradictions:
    """The firms told of, for those who have to decide about them."""

    def __init__(self, b: Builder) -> None:
        self.b = b
        self.rng = Random(f"contradictions of {b.seed}")
        self.idle = self._idle()
        """Enterprises that never enrolled, in random order; whoever is told of is taken out."""
        self.one_firm: list[Pair] = []
        self.two_firms: list[Pair] = []
        self.crossed = 0

    def _idle(self) -> list[Firm]:
        firms = [
            firm
            for shape in self.b.shapes
            if shape.code not in GROUPS
            for firm in self.b.enterprises[shape.code]
            if not firm.enrolled_on and not firm.apart and firm.licensed_on <= OPENING_ON
        ]
        self.rng.shuffle(firms)
        return firms

    def take(self, count: int) -> list[Firm]:
        """So many firms, or as many as there are, that nothing else is told of."""
        taken, self.idle = self.idle[:count], self.idle[count:]
        return taken

    def tell(self) -> None:
        """Everything, as deliveries that come on the day of the month's own lists, after them."""
        self._two_codes()
        self._crossed()
        self._namesakes()
        self._succeeded()
        self._written_otherwise()

    def _two_codes(self) -> None:
        """The tax office has another organisation code for a firm than its certificate."""
        b, rows = self.b, []
        sent_on = date(2008, 10, 4)
        for firm in self.take(b.some(_TWO_CODES, 2)):
            other = second_code(firm)
            rows.append(unenrolled_row(other, _SEPTEMBER, _SEPTEMBER.last_on))
            b.truth.add("unenrolled-employers", firm.unit, sent_on, 1)
            self.one_firm.append(Pair(f"oc:{firm.org_code}", f"oc:{other.org_code}"))
        b.planted["two-codes"] += len(rows)
        b.send(
            sent_on, 18, "tax", "unenrolled-employers", str(_SEPTEMBER), rows, "未参保单位（补报）"
        )

    def _crossed(self) -> None:
        """A certificate that states the licence number of another firm."""
        b, on = self.b, _AUGUST.last_on
        firms = self.take(2 * b.some(_TWO_ON_ONE_ROW))
        rows = [
            code_record(one, "changed", on) | {"licence_no": other.licence_no}
            for one, other in zip(firms[::2], firms[1::2], strict=False)
        ]
        self.crossed = len(rows)
        b.planted["two-on-one-row"] += len(rows)
        self._codes(_AUGUST, rows)

    def _namesakes(self) -> None:
        """A firm that has a licence only, and another of the same name that has a code only: no
        number tells them apart."""
        b, on = self.b, date(2008, 9, 12)
        shapes = [shape for shape in b.shapes if shape.code not in GROUPS]
        licences, codes = [], []
        for at in range(b.some(_NAMESAKES)):
            shape = shapes[at % len(shapes)]
            licensed = b.maker.enterprise(shape, on, 6)
            coded = replace(
                b.maker.enterprise(shape, on, 4),
                name=licensed.name,
                reg_type=licensed.reg_type,
                industry=licensed.industry,
            )
            licence = licence_record(licensed, "registered", on) | {"name": licensed.name}
            code = code_record(coded, "registered", on) | {"legal_rep": licence["legal_rep"]}
            licence.pop("org_code", None)
            code.pop("licence_no", None)
            licences.append(licence)
            codes.append(code)
            self.two_firms.append(Pair(f"lic:{licensed.licence_no}", f"oc:{coded.org_code}"))
        b.planted["namesakes"] += len(licences)
        self._licences(_SEPTEMBER, licences)
        self._codes(_SEPTEMBER, codes)

    def _succeeded(self) -> None:
        """Representatives that changed, as the registry alone was told."""
        on = _AUGUST.last_on
        rows = [
            licence_record(firm, "changed", on) | {"legal_rep": next_representative(firm)}
            for firm in self.take(self.b.some(_SUCCEEDED, 2))
        ]
        self.b.planted["succeeded"] += len(rows)
        self._licences(_AUGUST, rows)

    def _written_otherwise(self) -> None:
        """Firms that stand apart and have a new representative at the registry: doubtful pairs."""
        firms = [firm for found in self.b.enterprises.values() for firm in found]
        for firm in sorted(firms, key=lambda firm: firm.number):
            if has_new_one(firm):
                self.one_firm.append(Pair(f"lic:{firm.licence_no}", f"oc:{firm.org_code}"))

    def _licences(self, month: Month, rows: list[dict[str, object]]) -> None:
        on, feed = month.last_on + timedelta(days=3), "business-licences"
        self.b.send(on, 18, "industry-commerce", feed, str(month), rows, "工商登记（补报）")

    def _codes(self, month: Month, rows: list[dict[str, object]]) -> None:
        on, feed = month.last_on + timedelta(days=4), "organisation-codes"
        self.b.send(on, 18, "quality-supervision", feed, str(month), rows, "组织机构代码（补报）")
