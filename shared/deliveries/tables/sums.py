"""Rows that are no records: totals, signatures, notes, repeated headings; and whether what the
totals declare is what the rows above them come to. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from shared.characters import narrow, simplified
from shared.deliveries.tables.cells import NumberCell
from shared.deliveries.tables.characters import folded
from shared.deliveries.tables.figures import plain, read_figure
from shared.deliveries.tables.layout import Layout, is_heading
from shared.deliveries.tables.spec import FieldSpec
from shared.deliveries.tables.units import units_declared, whole_unit

_TOTAL: Final = re.compile(r"(合计|总计|共计|全[市区县]合?计|总合计)(户数|人数|金额|笔数)?")
_SUBTOTAL: Final = re.compile(r"(?:.{0,30}小计|本页(合计|小计|共计)|.{1,30}合计)")
_CUMULATIVE: Final = re.compile(r"(本年|累计|本月)?(累计|止累计|年累计)")
_OF_WHICH: Final = re.compile(r"其中.{0,20}")
_SIGNATURE: Final = re.compile(
    r"(单位|部门|科室)?(负责人|审核人?|复核人?|填表人?|制表人?|填报人|经办人?|报出日期|填报日期|制表日期"
    r"|填报单位|制表单位|联系电话|联系人|统计负责人|主管|会计|出纳|公章|盖章|单位公章|局长|科长|打印日期)"
    r"(签字|签章|签名|盖章)?"
)
_NOTE: Final = re.compile(r"(注|备注|说明|附注|填表说明|填报说明|※)\s*[:：1-9一二三.、]?.*")
_NOTE_WORD: Final = re.compile(r"(注|备注|说明|附注|填表说明|填报说明|※)\s*([:：1-9一二三]|$)")
_SIGNED: Final = re.compile(r".{2,14}[:：]")
_DIGIT: Final = re.compile(r"\d")
EXAMPLE: Final = "示例"
"""First cell of a template's example row."""
_NO_FIGURES: Final = frozenset({"note", "signature", "unit", "numbering"})
_ORDINALS: Final = frozenset("甲乙丙丁戊己庚辛")

_ZERO: Final = Decimal(0)
LISTED_ROWS: Final = 200
"""Rows kept out that are listed one by one; all are counted."""


def kind_of(  # noqa: PLR0911 - one per kind
    layout: Layout, cells: Sequence[str], keys: frozenset[int], first: bool
) -> str | None:
    """What a row is that is no record; None for a record.

    ``keys``: columns that hold identifying numbers. A row that has one is a record whatever
    its words: a firm may be called 合计. ``first``: no record came since the heading.
    """
    if any(at < len(cells) and _identifies(cells[at]) for at in keys) and cells[0] != EXAMPLE:
        return None
    filled = [(at, cell.strip()) for at, cell in enumerate(cells) if cell and not cell.isspace()]
    if is_heading(layout, cells):
        return "heading"
    if filled[0] == (0, EXAMPLE):
        return "example"
    label = next((cell for _, cell in filled if not isinstance(cell, NumberCell)), "")
    if not label or len(label) > 500:
        return None
    word = folded(label)
    if first and _is_numbering(layout, filled):
        return "numbering"
    alone = len(filled) == 1 and whole_unit(label) is not None
    if alone or (len(filled) <= 3 and units_declared(cells) is not None):
        return "unit"
    for kind, pattern in (
        ("cumulative", _CUMULATIVE),
        ("total", _TOTAL),
        ("subtotal", _SUBTOTAL),
        ("of-which", _OF_WHICH),
    ):
        if pattern.fullmatch(word):
            return kind
    if _is_signature([cell for _, cell in filled], _has_figures(layout, cells)):
        return "signature"
    if _is_note([cell for _, cell in filled], label):
        return "note"
    return None


def unexpected_figures(layout: Layout, kind: str, cells: Sequence[str]) -> bool:
    """Whether a row of a kind that states no figures has some."""
    if kind not in _NO_FIGURES or any(cell.strip() in _ORDINALS for cell in cells if cell):
        return False
    return _has_figures(layout, cells)


def _has_figures(layout: Layout, cells: Sequence[str]) -> bool:
    """Whether a row has a number in a column of sums, rates or persons."""
    return any(
        column.field is not None
        and column.field.kind in ("money", "rate", "int")
        and column.index < len(cells)
        and _is_figure(cells[column.index])
        for column in layout.columns
    )


def _is_figure(cell: str) -> bool:
    return bool(cell.strip()) and read_figure(cell).value is not None


def _identifies(cell: str) -> bool:
    return len(cell) >= 4 and _DIGIT.search(cell) is not None


def _is_numbering(layout: Layout, filled: Sequence[tuple[int, str]]) -> bool:
    """The row of column numbers under a heading: 甲 乙 1 2 3, or 1 2 3 over every column of which
    one could never hold its number."""
    cells = [cell for _, cell in filled]
    numbers = [cell for cell in cells if cell not in _ORDINALS]
    if len(cells) < 3 or any(not (cell.isascii() and cell.isdigit()) for cell in numbers):
        return False
    if [int(cell) for cell in numbers] != list(range(1, len(numbers) + 1)):
        return False
    if len(numbers) < len(cells):
        return True
    given = dict(filled)
    every = all(column.index in given for column in layout.columns)
    return every and any(
        column.field is not None and _never_numbered(column.field, given[column.index])
        for column in layout.columns
    )


def _never_numbered(one: FieldSpec, number: str) -> bool:
    """Whether a record's field cannot be just this number."""
    if one.kind in ("date", "month", "dekad", "text", "list"):
        return True
    if one.kind not in ("identifier", "code") or number in one.codes:
        return False
    return bool(one.codes) or (one.pattern is not None and not re.search(one.pattern, number))


def _is_note(cells: Sequence[str], label: str) -> bool:
    """Alone in its row, or the word with its text beside it; a row with a figure is none."""
    text = simplified(narrow(label))
    if not _NOTE.fullmatch(text) or len(cells) > 2:
        return False
    if len(cells) == 1:
        return True
    return bool(_NOTE_WORD.match(text)) and not any(_is_figure(cell) for cell in cells)


def _is_signature(cells: Sequence[str], figures: bool) -> bool:
    for cell in cells:
        text = simplified(narrow(cell))
        head = folded(re.split(r"[:：]", text)[0])
        if _SIGNATURE.fullmatch(head) and (
            _SIGNED.match(text) or (len(cells) <= 2 and not figures)
        ):
            return True
    return False


@dataclass
class Sums:
    """What the records come to, column by column, since the start and since the last subtotal."""

    zh: dict[str, str]
    """Summed fields → Chinese name."""
    whole: dict[str, Decimal] = field(default_factory=dict)
    """Up to the last subtotal."""
    part: dict[str, Decimal] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    """Fields with a cell that could not be read: their sums are not known."""
    records: int = 0
    declared: list[dict[str, Any]] = field(default_factory=list)
    _leading: list[dict[str, Any]] = field(default_factory=list)

    def add(self, values: dict[str, Any], faulty: set[str]) -> None:
        """A record's values of the summed fields."""
        self.records += 1
        for name in self.zh:
            value = values.get(name)
            if value is not None:
                self.part[name] = self.part.get(name, _ZERO) + Decimal(value)
        if faulty:
            self.unread |= faulty & self.zh.keys()

    def _whole(self) -> dict[str, Decimal]:
        """Since the start: what the last subtotal closed, and what came after it."""
        names = {*self.whole, *self.part}
        return {name: self.whole.get(name, _ZERO) + self.part.get(name, _ZERO) for name in names}

    def declare(self, row: int, kind: str, values: dict[str, Any]) -> None:
        """A total the table states. One above the first record is of all that follow."""
        if kind not in ("total", "subtotal"):
            return
        own = [
            {"row": row, "kind": kind, "field": name, "declared": plain(Decimal(value))}
            for name, value in values.items()
            if name in self.zh and value is not None
        ]
        if not self.records:
            self._leading += own if kind == "total" else []
            return
        for one in own:
            self._compare(one, self.part if kind == "subtotal" else self._whole())
        if kind == "subtotal":
            self.whole, self.part = self._whole(), {}

    def _compare(self, one: dict[str, Any], sums: dict[str, Decimal]) -> None:
        if len(self.declared) >= LISTED_ROWS:
            return
        name = one["field"]
        found = sums.get(name, _ZERO)
        one["name"] = self.zh[name]
        one["found"] = plain(found)
        one["difference"] = plain(Decimal(one["declared"]) - found)
        one["complete"] = name not in self.unread
        self.declared.append(one)

    def finish(self) -> list[dict[str, Any]]:
        """Every comparison."""
        for one in self._leading:
            self._compare(one, self._whole())
        self._leading = []
        return self.declared
