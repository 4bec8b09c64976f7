"""The quick way for cells that are as they should be: most of a well-kept table.

A quick reader gives exactly what ``cleaning.clean`` would, without repair or fault, or ``MISS``
where that has to look closer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from shared.deliveries.tables.cleaning import Scale
from shared.deliveries.tables.spec import FieldSpec

MISS: Final = object()

Quick = Callable[[str], Any]

_MONEY: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,4})?")
_SHORTEST: Final = 5
"""Shorter texts may say that nothing is stated."""


def quick_reader(spec: FieldSpec, scale: Scale) -> Quick:
    """For cells of plain text of one column; never called for an empty one."""
    if spec.kind in ("money", "int") and scale.exponent:
        return _never
    if spec.kind in ("identifier", "month", "dekad", "code"):
        return _coded(spec)
    return _PLAIN.get(spec.kind, _never)


def _never(cell: str) -> Any:
    return MISS


def _money(cell: str) -> Any:
    return cell if _MONEY.fullmatch(cell) else MISS


def _int(cell: str) -> Any:
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) < 18 else MISS


def _date(cell: str) -> Any:
    if len(cell) != 10 or cell[4] != "-" or cell[7] != "-":
        return MISS
    try:
        date.fromisoformat(cell)
    except ValueError:
        return MISS
    return cell


def _bool(cell: str) -> Any:
    return True if cell == "是" else False if cell == "否" else MISS


def _text(cell: str) -> Any:
    plain = len(cell) >= _SHORTEST and cell.isprintable()
    return cell if plain and cell[0] != " " and cell[-1] != " " else MISS


_PLAIN: Final[dict[str, Quick]] = {
    "money": _money,
    "int": _int,
    "date": _date,
    "bool": _bool,
    "text": _text,
}


def _coded(spec: FieldSpec) -> Quick:
    if spec.codes:
        codes = {code: code for code in spec.codes}
        return lambda cell: codes.get(cell, MISS)
    if spec.pattern is None:
        return _never
    search = re.compile(rf"(?:{spec.pattern})(?!\n)").search
    if spec.kind != "code":
        return lambda cell: cell if len(cell) >= _SHORTEST and search(cell) else MISS
    return lambda cell: cell if cell.isascii() and cell.isalnum() and search(cell) else MISS
