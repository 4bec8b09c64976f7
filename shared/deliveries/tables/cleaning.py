"""One cell as the value of one field: read, repaired on the record, or refused with the reason.

Pure. Nothing is guessed: what has two readings is a fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from shared.characters import narrow, simplified
from shared.deliveries.tables.cells import (
    BoolCell,
    DateCell,
    ErrorCell,
    FormulaCell,
    LossyNumber,
    NumberCell,
)
from shared.deliveries.tables.characters import folded, states_nothing
from shared.deliveries.tables.days import Read, from_serial, read_date, read_dekad, read_month
from shared.deliveries.tables.figures import plain, read_figure
from shared.deliveries.tables.spec import Fault, FieldSpec, Repair
from shared.identifiers import notations

_YES: Final = frozenset({"是", "有", "已", "y", "yes", "true", "1", "√", "✓", "✔", "☑"})
_NO: Final = frozenset({"否", "未", "没有", "n", "no", "false", "0", "×", "✗", "✘", "x", "☐"})
_EXPONENT: Final = re.compile(r"\d(?:\.\d+)?[eE]\+?\d+")
_CODE_AND_WORD: Final = re.compile(r"([0-9A-Za-z-]+)\s*[.、:：]?\s*(\D.*)")
"""Both at once, as "210504 明山区": taken where they agree."""
_INVISIBLE: Final = re.compile("[\u200b\ufeff]")
_ONE_LINE: Final = re.compile(r"(.*_)?(name|address)")
"""Texts that a narrow column may have broken into lines; elsewhere lines are meant."""
_SPACES: Final = re.compile(r"\s+")


class Cleaned(NamedTuple):
    """What a cell came to: a value (None: not stated), what was repaired, or a fault."""

    value: Any = None
    repair: Repair | None = None
    fault: Fault | None = None


NOT_STATED: Final = Cleaned()


class Scale(NamedTuple):
    """By how much numbers of a column are multiplied, and what says so (万元)."""

    exponent: int = 0
    text: str = ""


NO_SCALE: Final = Scale()

_Cleaner = Callable[[FieldSpec, str, Scale, date], Cleaned]


def clean(spec: FieldSpec, cell: str, scale: Scale, today: date) -> Cleaned:
    """Read one cell; never raises."""
    if not cell:
        return NOT_STATED
    if isinstance(cell, ErrorCell | FormulaCell):
        code = "cell-error" if isinstance(cell, ErrorCell) else "formula-without-value"
        return _fault(spec, code, cell)
    if not isinstance(cell, NumberCell) and spec.kind != "bool" and states_nothing(cell):
        if _answers_none(spec, cell):
            return _text(spec, cell, scale, today)
        return Cleaned(None, _repair(spec, cell, None, "not-stated") if cell.strip() else None)
    if "\0" in cell:
        return _fault(spec, "control-character", "")
    return _CLEANERS[spec.kind](spec, cell, scale, today)


def _answers_none(spec: FieldSpec, cell: str) -> bool:
    """存在问题：无 is the answer of a text that must be given; a name is never 无."""
    asked = spec.kind == "text" and spec.required and not _ONE_LINE.fullmatch(spec.name)
    return asked and simplified(narrow(cell)) == "无"


def _shown(spec: FieldSpec, text: str) -> str:
    return "***" if spec.personal else text[:60]


def _fault(spec: FieldSpec, code: str, value: str, **params: str) -> Cleaned:
    shown = {"field": spec.zh, "value": _shown(spec, value), **params}
    return Cleaned(fault=Fault(code, spec.name, shown))


def _repair(spec: FieldSpec, original: str, to: str | None, rule: str) -> Repair:
    return Repair(spec.name, str(original), to, rule)


def _changed(spec: FieldSpec, cell: str, value: Any, to: str, rule: str) -> Cleaned:
    return Cleaned(value, None if to == cell else _repair(spec, cell, to, rule))


def _text(spec: FieldSpec, cell: str, scale: Scale, today: date) -> Cleaned:
    if isinstance(cell, LossyNumber):
        return _fault(spec, "identifier-damaged", cell)
    value = _INVISIBLE.sub("", cell).strip()
    if _ONE_LINE.fullmatch(spec.name) and ("\n" in value or "\r" in value):
        value = _SPACES.sub(" ", value)
    return _changed(spec, cell, value, value, "spaces")


def _identifier(  # noqa: PLR0911 - one per way an identifier comes
    spec: FieldSpec, cell: str, scale: Scale, today: date
) -> Cleaned:
    """Kept as text. A number cell is taken only where nothing can have been lost."""
    pattern = _compiled(spec.pattern)
    if isinstance(cell, LossyNumber | DateCell | BoolCell) or _EXPONENT.fullmatch(cell):
        return _fault(spec, "identifier-damaged", cell)
    if isinstance(cell, NumberCell):
        if pattern is not None and not pattern.search(cell):
            return _fault(spec, "identifier-damaged", cell)
        return Cleaned(str(cell), _repair(spec, cell, str(cell), "number-cell"))
    if pattern is None:
        return _text(spec, cell, scale, today)
    if pattern.search(cell):
        return Cleaned(cell)
    for name, form in notations(cell):
        if pattern.search(form):
            return Cleaned(form, _repair(spec, cell, form, name))
    rule, value = next(notations(cell))
    if re.fullmatch(r"[0-9OoIl]+", value) and re.search(r"[OoIl]", value) and len(value) > 1:
        return _fault(spec, "letter-in-number", cell)
    # Its own rule says what is wrong with it: the same words as for a record sent as JSON.
    return Cleaned(value, None if value == cell else _repair(spec, cell, value, rule))


def _figure(spec: FieldSpec, cell: str, scale: Scale) -> tuple[Decimal | None, str, Cleaned]:
    if isinstance(cell, DateCell | BoolCell):
        return None, "", _fault(spec, "number-unclear", cell)
    figure = read_figure(cell)
    if figure.value is None:
        return None, "", _fault(spec, figure.fault or "number-unclear", cell)
    rules = list(figure.rules)
    value = figure.value
    if scale.exponent and not figure.own_scale and not _says_yuan(cell):
        value = value.scaleb(scale.exponent)
        rules.append(f"unit-{scale.text}")
    return value, "+".join(rules), NOT_STATED


def _says_yuan(cell: str) -> bool:
    return cell.rstrip().endswith(("元", "圆", "元整"))


def _money(spec: FieldSpec, cell: str, scale: Scale, today: date) -> Cleaned:
    value, rule, fault = _figure(spec, cell, scale)
    if value is None:
        return fault
    text = plain(value)
    if not rule:
        return Cleaned(text)
    return Cleaned(text, _repair(spec, cell, text, rule))


def _rate(spec: FieldSpec, cell: str, scale: Scale, today: date) -> Cleaned:
    """A percentage or rate: the number as it stands, whatever unit the sheet has."""
    return _money(spec, cell, NO_SCALE, today)


def _int(spec: FieldSpec, cell: str, scale: Scale, today: date) -> Cleaned:
    if cell.isascii() and cell.isdigit() and not scale.exponent and len(cell) < 18:
        return Cleaned(int(cell))
    value, rule, fault = _figure(spec, cell, scale)
    if value is None:
        return fault
    if value != value.to_integral_value():
        return _fault(spec, "number-not-whole", cell)
    return Cleaned(int(value), _repair(spec, cell, plain(value), rule or "whole-number"))


def _date(spec: FieldSpec, cell: str, scale: Scale, today: date) -> Cleaned:
    if isinstance(cell, DateCell):
        return Cleaned(str(cell))
    if isinstance(cell, NumberCell) and cell.isdigit() and len(cell) < 6:
        return _read(spec, cell, from_serial(int(cell)))
    if isinstance(cell, BoolCell):
        return _fault(spec, "date-unreadable", cell)
    return _read(spec, cell, read_date(cell, today))


def _read(spec: FieldSpec, cell: str, read: Read) -> Cleaned:
    if read.value is None:
        return _fault(spec, read.fault or "date-unreadable", cell)
    if read.rule is None:
        return Cleaned(read.value)
    return Cleaned(read.value, _repair(spec, cell, read.value, read.rule))


def _month(spec: FieldSpec, cell: str, scale: Scale, today: date) -> Cleaned:
    if isinstance(cell, DateCell):
        return Cleaned(cell[:7], _repair(spec, cell, cell[:7], "month-of-date"))
    if isinstance(cell, NumberCell) and "." in cell:
        return _fault(spec, "period-unreadable", cell)  # 2008.1 may have been 2008.10
    return _read(spec, cell, read_month(cell))


def _dekad(spec: FieldSpec, cell: str, scale: Scale, today: date) -> Cleaned:
    return _read(spec, cell, read_dekad(cell))


def _bool(spec: FieldSpec, cell: str, scale: Scale, today: date) -> Cleaned:
    word = simplified(narrow(cell)).lower()
    if word in _YES or word in _NO:
        value = word in _YES
        to = "true" if value else "false"
        plainly = isinstance(cell, BoolCell) or cell in ("是", "否")
        return Cleaned(value, None if plainly else _repair(spec, cell, to, "yes-no"))
    if states_nothing(cell):
        return Cleaned(None, _repair(spec, cell, None, "not-stated"))
    return _fault(spec, "yes-no-unclear", cell)


def _code(  # noqa: PLR0911 - one per way a code comes
    spec: FieldSpec, cell: str, scale: Scale, today: date
) -> Cleaned:
    """A code as it is, or one of the words that stand for it."""
    if not isinstance(cell, NumberCell) and (cell in spec.codes):
        return Cleaned(str(cell))
    value = narrow(cell)
    pattern = _compiled(spec.pattern)
    if not spec.codes and pattern is not None and pattern.search(value):
        return _changed(spec, cell, value, value, "full-width")
    if value.lower() in spec.codes:
        return Cleaned(value.lower(), _repair(spec, cell, value.lower(), "full-width"))
    code = spec.labels.get(folded(cell))
    found = None if code else _CODE_AND_WORD.fullmatch(value)
    if found is not None and spec.labels.get(folded(found[2])) == found[1]:
        code = found[1]
    if code is not None:
        return Cleaned(code, _repair(spec, cell, code, "label"))
    if spec.codes or not value.isascii():
        known = "、".join(dict.fromkeys([*spec.codes][:20]))
        return _fault(spec, "label-unknown", cell, known=known or "—")
    if isinstance(cell, NumberCell) and pattern is not None:
        return _fault(spec, "identifier-damaged", cell)
    return _changed(spec, cell, value, value, "spaces")


def _list(spec: FieldSpec, cell: str, scale: Scale, today: date) -> Cleaned:
    """JSON, or items separated by ; each with its parts in order, separated by spaces."""
    if cell.lstrip()[:1] == "[":
        try:
            return Cleaned(msgspec.Raw(msgspec.json.encode(msgspec.json.decode(str(cell)))))
        except (msgspec.DecodeError, RecursionError):
            return _fault(spec, "list-unclear", cell)
    items: list[Any] = []
    for item in re.split(r"[;；\n]", cell):
        if not item.strip():
            continue
        read = _item(spec, item.strip(), scale, today)
        if isinstance(read, Fault):
            return Cleaned(fault=read)
        items.append(read)
    return Cleaned(items, _repair(spec, cell, msgspec.json.encode(items).decode(), "list"))


def _item(spec: FieldSpec, item: str, scale: Scale, today: date) -> Any:
    if len(spec.parts) == 1 and not spec.parts[0].name:
        values = [item]
    else:
        values = re.split(r"[\s：:]+", item)
        if len(values) > len(spec.parts):
            return Fault("list-unclear", spec.name, {"field": spec.zh, "value": _shown(spec, item)})
    read: dict[str, Any] = {}
    for part, value in zip(spec.parts, values, strict=False):
        cleaned = clean(part, value, scale, today)
        if cleaned.fault is not None:
            return Fault(cleaned.fault.code, spec.name, cleaned.fault.params)
        if cleaned.value is not None:
            read[part.name] = cleaned.value
    return read.get("", read)


@lru_cache(maxsize=512)
def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    # A pattern's $ also matches before a last line break.
    return None if pattern is None else re.compile(rf"(?:{pattern})(?!\n)")


_CLEANERS: Final[dict[str, _Cleaner]] = {
    "text": _text,
    "identifier": _identifier,
    "money": _money,
    "rate": _rate,
    "int": _int,
    "date": _date,
    "month": _month,
    "dekad": _dekad,
    "bool": _bool,
    "code": _code,
    "list": _list,
}
