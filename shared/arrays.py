"""Long lists of strings and whole numbers as PostgreSQL arrays, without a call per element.

The driver quotes every element by itself, in Python: for the keys of a batch that costs more than
the server's work with them. What is written here means the same; everything but plain strings and
plain integers goes the driver's way.
"""

from __future__ import annotations

import struct
from functools import lru_cache
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
        if set(map(type, obj)) != {str} or "\0" in "".join(obj):
            return super().dump(obj)
        head = _ONE_DIMENSION(1, 0, self.element_oid, len(obj), 1)
        return head + b"".join(map(_element, obj))


_ONE_DIMENSION = struct.Struct("!iiIii").pack
"""Dimensions, whether any element is NULL, the elements' type, how many, the first one's number."""
_LENGTH = struct.Struct("!i").pack


@lru_cache(maxsize=16_384)
def _element(text: str) -> bytes:
    """Pairs of characters of names are the same again and again."""
    data = text.encode()
    return _LENGTH(len(data)) + data


def write_lists_whole(connection: psycopg.AsyncConnection[Any]) -> None:
    """From now on lists given to this connection's statements are written so."""
    connection.adapters.register_dumper(list, WholeListDumper)
    connection.adapters.register_dumper(None, TextListBinaryDumper)
