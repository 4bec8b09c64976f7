"""Cells as they come from a file. Text is plain ``str``; what a workbook knows besides stands in
the type."""

from __future__ import annotations

from typing import NamedTuple


class NumberCell(str):
    """A number cell: its stored value, as a decimal of at most 15 significant digits."""

    __slots__ = ()


class LossyNumber(NumberCell):
    """A number of more than 15 digits: the rest is lost for good."""

    __slots__ = ()


class DateCell(str):
    """A number cell formatted as a date: the ISO date."""

    __slots__ = ()


class BoolCell(str):
    """A logical cell: 是 or 否."""

    __slots__ = ()


class ErrorCell(str):
    """A cell that shows an error, as #REF!."""

    __slots__ = ()


class FormulaCell(str):
    """A formula that was never calculated: its text."""

    __slots__ = ()


class Row(NamedTuple):
    """A row with its number in the sheet (1 is the first)."""

    no: int
    cells: list[str]
    hidden: bool = False


def is_blank(cells: list[str]) -> bool:
    """Whether a row says nothing at all."""
    return not "".join(cells).strip()
