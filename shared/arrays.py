"""Long lists of strings and whole numbers as PostgreSQL arrays, without a call per element.

The driver quotes every element by itself, in Python: for the keys of a batch that costs more than
the server's work with them. What is written here means the same; everything but plain strings and
plain integers goes the driver's way.
"""

from __future__ import annotations

import struct
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.types.array import ListBinaryDumper, ListDumper

_BETWEEN = "\0"
"""Stands in no text that PostgreSQL takes."""


class WholeListDumper(ListDumper):
    """Writes a list in one go where all its elements are ``str`` or all are ``int``."""

    def dump(self, obj: list[Any]) -> Buffer | None:
        """The array's text form. Raises psycopg.DataError for what the driver refuses."""
        kinds = set(map(type, obj))
        if kinds == {str}:
            joined = _BETWEEN.join(obj)
            if joined.count(_BETWEEN) == len(obj) - 1:
                return _quoted(joined).encode()
        elif kinds == {int}:
            return b"{%b}" % ",".join(map(str, obj)).encode()
        return super().dump(obj)


def _quoted(joined: str) -> str:
    escaped = joined.replace("\\", "\\\\").replace('"', '\\"').replace(_BETWEEN, '","')
    return f'{{"{escaped}"}}'


class TextListBinaryDumper(ListBinaryDumper):
    """Writes a list of ``str`` for a ``text[]`` column of a binary COPY."""

    oid = 1009  # text[], fixed in PostgreSQL's catalogue
    element_oid = 25

    def dump(self, obj: list[Any]) -> Buffer | None:
        """The array's binary form. Raises psycopg.DataError for what the driver refuses."""
        if not obj:
            return super().dump(obj)
        try:
            elements = b"".join(map(_ELEMENTS.__getitem__, obj))
        except (_NotPlainError, TypeError):
            return super().dump(obj)
        return _ONE_DIMENSION(1, 0, self.element_oid, len(obj), 1) + elements


_ONE_DIMENSION = struct.Struct("!iiIii").pack
"""Dimensions, whether any element is NULL, the elements' type, how many, the first one's number."""
_LENGTH = struct.Struct("!i").pack
_KEPT_ELEMENTS = 65_536


class _NotPlainError(Exception):
    """An element that is no text, or none that PostgreSQL takes."""


class _Elements(dict[str, bytes]):
    """Text → an element of an array; pairs of characters of names are the same again and again."""

    def __missing__(self, text: str) -> bytes:
        if type(text) is not str or _BETWEEN in text:
            raise _NotPlainError
        if len(self) >= _KEPT_ELEMENTS:
            self.clear()
        data = text.encode()
        element = self[text] = _LENGTH(len(data)) + data
        return element


_ELEMENTS = _Elements()


def write_lists_whole(connection: psycopg.AsyncConnection[Any]) -> None:
    """From now on lists given to this connection's statements are written so."""
    connection.adapters.register_dumper(list, WholeListDumper)
    connection.adapters.register_dumper(None, TextListBinaryDumper)
