"""Records of a table some cells of which could not be taken, on their way through judging."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from shared.deliveries.feed import RowProblem
from shared.deliveries.shape import decode_records
from shared.deliveries.tables.fields import chinese_names
from shared.deliveries.tables.spec import REFUSED, Fault

_MARK: Final = b'["' + REFUSED.encode() + b'",'
_LINE: Final = msgspec.json.Decoder(tuple[str, list[Fault], msgspec.Raw])


def with_cell_faults(
    shape: type[msgspec.Struct],
    texts: Sequence[bytes],
    decoded: list[Any],
    max_bytes: int,
) -> list[Any]:
    """``decoded`` with the faults of cells in the place of "not an object", and beside them
    whatever else is wrong with the record; what a table leaves out is named as tables name it."""
    return [
        one
        if not isinstance(one, tuple)
        else _faults(shape, text, max_bytes)
        if text.startswith(_MARK)
        else _named(shape, one)
        for text, one in zip(texts, decoded, strict=True)
    ]


def _named(shape: type[msgspec.Struct], problems: tuple[RowProblem, ...]) -> tuple[RowProblem, ...]:
    names = chinese_names(shape)
    return tuple(
        RowProblem(
            one.code, one.pointer, {"field": names.get(one.params["field"], one.params["field"])}
        )
        if one.code == "field-missing"
        else one
        for one in problems
    )


def _faults(shape: type[msgspec.Struct], text: bytes, max_bytes: int) -> tuple[RowProblem, ...]:
    _, faults, content = _LINE.decode(text)
    found = [RowProblem(one.code, f"/{one.field}", one.params) for one in faults]
    told = {one.pointer for one in found}
    (rest,) = decode_records(shape, [bytes(content)], max_bytes)
    if isinstance(rest, tuple):
        found += [one for one in _named(shape, rest) if one.pointer not in told]
    return tuple(found)


def is_refused(text: bytes) -> bool:
    """Whether it is the record of a table some cells of which could not be taken."""
    return text.startswith(_MARK)


def content_of(text: bytes) -> bytes:
    """What of a table's record could be read, as the JSON object it is."""
    return bytes(_LINE.decode(text)[2]) if text.startswith(_MARK) else text
