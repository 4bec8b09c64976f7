"""Judged rows on their way from the judging process: by column, in a third of the time pickling
them takes.

Dates are what costs most in a pickle, and rows of one feed have the same kinds of values in the
same places.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import msgspec

_PLAIN: Final = {str, int, bytes, bool, type(None)}
_DATES: Final = {date, type(None)}
_AS_IT_IS, _AS_DAYS, _PICKLED = 0, 1, 2
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode

Row = tuple[int, str, bytes, tuple[Any, ...]]
"""Record number, natural key, content hash, values."""


def packed(rows: Sequence[Row]) -> bytes:
    """Rows as bytes for ``unpacked``, in another process of this machine and release."""
    values = [row[3] for row in rows]
    if len(set(map(len, values))) != 1:
        return _encode([pickle.dumps(rows)])
    head = [[row[place] for row in rows] for place in range(3)]
    try:
        return _encode([*map(_packed, [*head, *zip(*values, strict=True)])])
    except OverflowError:  # a number of more than 64 bits
        return _encode([pickle.dumps(rows)])


def unpacked(data: bytes) -> list[Row]:
    """The rows of ``packed``: equal ones, in their order."""
    columns = _decode(data)
    if len(columns) == 1:
        found: list[Row] = pickle.loads(columns[0])  # noqa: S301 - from our own process
        return found
    nos, keys, digests, *values = map(_unpacked, columns)
    rows = zip(*values, strict=True) if values else ((),) * len(nos)
    return list(zip(nos, keys, digests, rows, strict=True))


def _packed(column: Sequence[Any]) -> tuple[int, Any]:
    kinds = set(map(type, column))
    if kinds <= _PLAIN:
        return _AS_IT_IS, column
    if kinds <= _DATES:
        return _AS_DAYS, [None if day is None else day.toordinal() for day in column]
    return _PICKLED, pickle.dumps(column)


def _unpacked(column: tuple[int, Any]) -> Sequence[Any]:
    how, values = column
    if how == _AS_IT_IS:
        return values  # type: ignore[no-any-return]
    if how == _AS_DAYS:
        day = date.fromordinal
        return [None if number is None else day(number) for number in values]
    return pickle.loads(values)  # type: ignore[no-any-return]  # noqa: S301 - as above
