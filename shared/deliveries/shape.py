"""The shape of a record: a fast decode for the good ones, every fault found for the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Any, Final, get_args

import msgspec
import numpy as np

from shared.deliveries.feed import RowProblem
from shared.deliveries.patterns import loosened

_DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANY = msgspec.json.Decoder()
_NUL_ESCAPE: Final = b"\\u0000"
_LINE_ENDS: Final = (b'\\n"', b'\\u000a"', b'\\u000A"')
"""A text that ends in a line break, however JSON writes it."""

_PATH = re.compile(r" - at `(?:key in )?\$(?P<path>.*)`$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_MESSAGES: Final = tuple(
    (re.compile(pattern, re.DOTALL), code)
    for pattern, code in (
        (r"Object contains unknown field `(?P<field>.*)`", "field-unknown"),
        (r"Object missing required field `(?P<field>.*)`", "field-missing"),
        (r"Expected `(?P<expected>[^`]*)`, got `(?P<found>[^`]*)`", "type-wrong"),
        (r"Expected `str` matching regex '?(?P<expected>.*?)'?", "pattern-mismatch"),
        (r"Invalid RFC3339 .*|Expected `date.*", "date-invalid"),
        (r"Invalid decimal .*", "money-invalid"),
        (r"Invalid (?:enum|literal) value '?(?P<value>.*?)'?", "code-unknown"),
        (r"Expected `\w+` of length (?P<expected>.*)", "length"),
        (r"Expected `\w+` >=? (?P<minimum>.*)", "value-out-of-range"),
        (r"Expected `\w+` <=? (?P<maximum>.*)", "value-out-of-range"),
        (r"Expected .*|.*out of range.*", "value-out-of-range"),
    )
)
"""What msgspec says → row code; the first that fits."""


@cache
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape)


@cache
def _fields(shape: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(shape)}


def decode_lines(
    shape: type[msgspec.Struct], data: bytes, count: int, max_bytes: int
) -> list[msgspec.Struct] | None:
    """All ``count`` lines of ``data`` as records of the shape, in one go; None unless each line is
    one that ``decode_records`` would give: it tells what is wrong with which.

    Half the time, since most segments hold nothing to look twice at.
    """
    odd = _odd_money(shape)
    if b"\\" in data and any(escaped in data for escaped in (_NUL_ESCAPE, *_LINE_ENDS)):
        return None
    if odd is not None and odd.search(data):
        return None
    if not _one_object_a_line(data, count, max_bytes):
        return None
    loose = loosened(shape)
    try:
        records: list[msgspec.Struct] = _decoder(loose.shape).decode_lines(data)
    except _DECODE_ERRORS:
        return None
    return records if len(records) == count and loose.all_match(records) else None


def _one_object_a_line(data: bytes, count: int, max_bytes: int) -> bool:
    """Whether every line break of ``data`` is one between two objects (``}`` is followed by ``{``
    nowhere within JSON), and no line is too long. As many values as lines are then one each."""
    if data[-1:] == b"\n":
        data = data[:-1]
    if data[:1] != b"{" or data[-1:] != b"}":
        return False
    characters = np.frombuffer(data, np.uint8)
    breaks = np.flatnonzero(characters == _LINE_BREAK)
    if len(breaks) != count - 1:
        return False
    lengths = np.diff(breaks, prepend=-1, append=len(data)) - 1
    return bool(
        lengths.max() <= max_bytes
        and (characters[breaks - 1] == _CLOSES).all()
        and (characters[breaks + 1] == _OPENS).all()
    )


_LINE_BREAK, _OPENS, _CLOSES = b"\n{}"


def decode_records(
    shape: type[msgspec.Struct], texts: Sequence[bytes], max_bytes: int
) -> list[msgspec.Struct | tuple[RowProblem, ...]]:
    """Each text as a record of the shape, or everything that is wrong with it."""
    decode = _decoder(shape).decode
    odd = _odd_money(shape)
    results: list[msgspec.Struct | tuple[RowProblem, ...]] = []
    for text in texts:
        try:
            if len(text) > max_bytes:
                results.append((RowProblem("record-too-long", "", {"limit": str(max_bytes)}),))
            elif odd is None and b"\\" not in text:  # nothing is written in a special way
                results.append(decode(text))
            elif _NUL_ESCAPE in text and (found := _control_characters(text)):
                results.append(found)
            elif any(end in text for end in _LINE_ENDS) and (found := _line_ends(shape, text)):
                results.append(_beside(shape, text, [*found, *_amounts(odd, text)]))
            elif odd is not None and (amounts := _amounts(odd, text)):
                results.append(_beside(shape, text, amounts))
            else:
                results.append(decode(text))
        except _DECODE_ERRORS as error:
            results.append(_faults(shape, text, error))
    return results


@cache
def _odd_money(shape: type[msgspec.Struct]) -> re.Pattern[bytes] | None:
    """Finds amounts written as text that is no plain number; None for a shape without amounts.

    Python reads "1_000", "+5", " 5 " and full-width digits as decimals, which is not for us to
    settle: what is not plain is the sender's to say.
    """
    names = [field.encode_name for field in _fields(shape).values() if _is_amount(field.type)]
    if not names:
        return None
    listed = b"|".join(re.escape(name).encode() for name in names)
    return re.compile(rb'"(' + listed + rb')"\s*:\s*"(?!-?[0-9]+(?:\.[0-9]+)?")')


def _is_amount(kind: Any) -> bool:
    return kind is Decimal or any(_is_amount(part) for part in get_args(kind))


def _line_ends(shape: type[msgspec.Struct], text: bytes) -> tuple[RowProblem, ...]:
    """Values that fit their pattern only because ``$`` also matches before a last line break:
    ``JK1234\\n`` would be another receipt than ``JK1234``.

    Found by a second line break in the place of the last character before it, which no pattern
    overlooks; lengths stay.
    """
    doubled = msgspec.json.encode(_doubled(_ANY.decode(text)))
    try:
        _decoder(shape).decode(doubled)
    except _DECODE_ERRORS as error:
        faults = _faults(shape, doubled, error)
        return tuple(one for one in faults if one.code == "pattern-mismatch")
    return ()


def _doubled(value: Any) -> Any:
    if isinstance(value, str):
        return value[:-2] + "\n\n" if value.endswith("\n") else value
    if isinstance(value, dict):
        return {name: _doubled(part) for name, part in value.items()}
    return [_doubled(part) for part in value] if isinstance(value, list) else value


def _amounts(odd: re.Pattern[bytes] | None, text: bytes) -> list[RowProblem]:
    """The amounts that are no plain number."""
    if odd is None or not (names := odd.findall(text)):
        return []
    found = {_pointer(name.decode()) for name in names}
    given: dict[str, Any] = _ANY.decode(text) if _is_object(text) else {}
    return [
        RowProblem("money-invalid", where, {"value": str(given.get(where[1:], ""))[:40]})
        for where in sorted(found)
    ]


def _beside(
    shape: type[msgspec.Struct], text: bytes, found: Sequence[RowProblem]
) -> tuple[RowProblem, ...]:
    """What was found, and whatever else is wrong with the record."""
    try:
        _decoder(shape).decode(text)
        others: tuple[RowProblem, ...] = ()
    except _DECODE_ERRORS as error:
        others = _faults(shape, text, error)
    places = {one.pointer for one in found}
    order = [_pointer(name) for name in _fields(shape)]
    faults = [*(one for one in others if one.pointer not in places), *found]
    # As the second pass has them: what is unknown first, then in the order of the fields.
    faults.sort(key=lambda one: next((n for n, p in enumerate(order) if _within(one, p)), -1))
    return tuple(faults)


def _within(one: RowProblem, pointer: str) -> bool:
    return one.pointer == pointer or one.pointer.startswith(f"{pointer}/")


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(_ANY.decode(text), dict)
    except _DECODE_ERRORS:
        return False


def _faults(shape: type[msgspec.Struct], text: bytes, error: Exception) -> tuple[RowProblem, ...]:
    """All faults of a record that did not decode: the second, slower pass, field by field."""
    try:
        text.decode()
    except UnicodeDecodeError as broken:
        return (RowProblem("utf8-invalid", "", {"byte": str(broken.start + 1)}),)
    try:
        given = _OBJECT.decode(text)
    except msgspec.ValidationError as wrong:
        return (fault_of(str(wrong)),)
    except _DECODE_ERRORS as broken:
        return (RowProblem("json-invalid", "", {"reason": str(broken)[:120]}),)
    known = _fields(shape)
    found = [
        RowProblem("field-unknown", _pointer(name), {"field": name[:60]})
        for name in given
        if name not in known
    ]
    for name, field in known.items():
        if name in given:
            found.extend(_field_fault(field, given[name]))
        elif field.required:
            found.append(RowProblem("field-missing", _pointer(name), {"field": name}))
    return tuple(found) or (fault_of(str(error)),)


def _field_fault(field: msgspec.structs.FieldInfo, raw: msgspec.Raw) -> list[RowProblem]:
    prefix = _pointer(field.encode_name)
    try:
        _decoder(field.type).decode(raw)
    except _DECODE_ERRORS as error:
        fault = fault_of(str(error))
        return [RowProblem(fault.code, prefix + fault.pointer, fault.params)]
    return []


def fault_of(message: str) -> RowProblem:
    """A msgspec message as a stable code with a JSON pointer (RFC 6901)."""
    pointer = ""
    if place := _PATH.search(message):
        steps = (name or index for name, index in _STEP.findall(place["path"]))
        pointer = "".join(_pointer(step) for step in steps)
        message = message[: place.start()]
    for pattern, code in _MESSAGES:
        if found := pattern.fullmatch(message):
            params = {name: value[:120] for name, value in found.groupdict().items()}
            if code.startswith("field-"):
                pointer += _pointer(found["field"])
            return RowProblem(code, pointer, params)
    return RowProblem("json-invalid", pointer, {"reason": message[:120]})


def _control_characters(text: bytes) -> tuple[RowProblem, ...]:
    """PostgreSQL text holds no NUL; found in values only, an escaped backslash is harmless."""
    return tuple(
        RowProblem("control-character", pointer)
        for pointer, value in _strings("", _ANY.decode(text))
        if "\0" in value
    )


def _strings(pointer: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(pointer, value)]
    if isinstance(value, dict):
        inner = [(pointer + _pointer(str(name)), part) for name, part in value.items()]
        return [found for place, part in inner for found in _strings(place, part)] + [
            (pointer, name) for name in value if "\0" in name
        ]
    if isinstance(value, list):
        parts = enumerate(value)
        return [found for no, part in parts for found in _strings(f"{pointer}/{no}", part)]
    return []


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")
