"""Many rows at once into a table: COPY, in PostgreSQL's binary format where the types are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any

import psycopg
import psycopg.abc
from psycopg import sql
from psycopg._copy_base import _binary_signature, _binary_trailer, format_row_binary
from psycopg.adapt import Transformer
from psycopg.pq import Format
from psycopg.types.string import BytesBinaryDumper
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import raw

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


async def copy_rows(
    connection: AsyncConnection,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    types: Sequence[str] | None = None,
) -> int:
    """COPY rows into a table of the search path (or ``schema.table``); returns how many.

    Values are Python values, None is NULL. With ``types`` (PostgreSQL type names, one per column;
    see ``copy_types``) the binary format is used: about three times as fast, but it accepts only
    values that fit those types exactly (an int for a date column is an error of the server).
    Raises NumericValueOutOfRange, as the server would, for an int beyond its column.
    COPY never ignores a conflict: copy into a ``stage`` when the rows may already be there.
    """
    driver = await raw(connection)
    statement = sql.SQL("COPY {} ({}) FROM STDIN {}").format(
        sql.Identifier(*table.split(".")),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL("(FORMAT BINARY)" if types else ""),
    )
    count = 0
    async with driver.cursor() as cursor, cursor.copy(statement) as copy:
        if types:
            copy.set_types(types)
        # The formatter is called directly: a coroutine per row would cost more than the row.
        write_row, send = copy.formatter.write_row, copy.writer.write
        for row in _within(rows, types) if types else rows:
            count += 1
            try:
                block = write_row(row)
            except OverflowError as error:
                raise psycopg.errors.NumericValueOutOfRange(str(error)) from error
            if block:
                await send(block)
    return count


async def copy_block(
    connection: AsyncConnection, table: str, columns: Sequence[str], block: bytes
) -> None:
    """COPY rows that ``binary_block`` wrote, wherever that was, into a table."""
    driver = await raw(connection)
    statement = _copy_of_blocks(table, tuple(columns))
    async with driver.cursor() as cursor, cursor.copy(statement) as copy:
        await copy.write(block)


@cache
def _copy_of_blocks(table: str, columns: tuple[str, ...]) -> bytes:
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    return statement.as_bytes()


def binary_block(
    rows: Sequence[Sequence[Any]],
    types: Sequence[str],
    shared: Sequence[Any] = (),
    shared_types: Sequence[str] = (),
) -> bytes:
    """Rows as COPY's binary format wants them, made without a connection; see ``copy_rows``.
    ``shared``: values of further columns, the same in all rows and written only once here."""
    for place, kind in enumerate(types):
        if limit := _NARROW.get(kind):
            _check_column([row[place] for row in rows], limit, kind)
    for value, kind in zip(shared, shared_types, strict=True):
        if limit := _NARROW.get(kind):
            _check_column([value], limit, kind)
    own, others = _transformer(types), _transformer(shared_types)
    count = (len(types) + len(shared)).to_bytes(2, "big")
    block = bytearray(_binary_signature)
    end_of_row = bytearray()
    try:
        format_row_binary(shared, others, end_of_row)
        del end_of_row[:2]  # its own count of fields
        for row in rows:
            begins = len(block)
            format_row_binary(row, own, block)
            block[begins : begins + 2] = count
            block += end_of_row
    except OverflowError as error:
        raise psycopg.errors.NumericValueOutOfRange(str(error)) from error
    return bytes(block + _binary_trailer)


def _transformer(types: Sequence[str]) -> psycopg.abc.Transformer:
    transformer = Transformer(_BLOCKS)
    oids = [psycopg.adapters.types.get_oid(kind) for kind in types]
    transformer.set_dumper_types(oids, Format.BINARY)
    return transformer


def _check_column(values: Sequence[int | None], limit: int, kind: str) -> None:
    """As ``_within``, for a column at once."""
    given = [value for value in values if value is not None] if None in values else values
    if given and not -limit <= min(given) <= max(given) < limit:  # type: ignore[type-var, operator]
        raise psycopg.errors.NumericValueOutOfRange(f"a value is beyond {kind}")


class _Blocks:
    """How values are dumped without a connection: bytes the quick way, not as DB-API's Binary."""

    connection = None

    def __init__(self) -> None:
        self.adapters = psycopg.adapt.AdaptersMap(psycopg.adapters)
        self.adapters.register_dumper(bytes, BytesBinaryDumper)


_BLOCKS = _Blocks()


_NARROW = {"int2": 2**15, "smallint": 2**15, "int4": 2**31, "integer": 2**31}


_CHECKED_AT_ONCE = 500


def _within(rows: Iterable[Sequence[Any]], types: Sequence[str]) -> Iterator[Sequence[Any]]:
    """The rows, their narrow integers checked: the driver would cut off the higher bytes."""
    narrow = [(place, _NARROW[kind]) for place, kind in enumerate(types) if kind in _NARROW]
    waiting = iter(rows)
    while part := list(islice(waiting, _CHECKED_AT_ONCE)):
        for place, limit in narrow:
            # Zero stands for NULL, which fits.
            column = [row[place] or 0 for row in part]
            if max(column) >= limit or min(column) < -limit:
                value = next(number for number in column if not -limit <= number < limit)
                raise psycopg.errors.NumericValueOutOfRange(f"{value} is beyond {types[place]}")
        yield from part


def copy_types(table: Table, columns: Sequence[str]) -> list[str]:
    """The ``types`` for ``copy_rows``, from a table's own declaration."""
    compiled = (table.c[name].type.compile(dialect=_DIALECT) for name in columns)
    return [name.partition("(")[0].strip().lower() for name in compiled]


async def copy_into(
    connection: AsyncConnection,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> int:
    """``copy_rows`` in binary into a declared table."""
    types = copy_types(table, columns)
    return await copy_rows(connection, table.name, columns, rows, types)


async def stage_into(
    connection: AsyncConnection,
    name: str,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> int:
    """``copy_rows`` in binary into an emptied ``stage`` with these columns of a declared table;
    what becomes of them there is the caller's statement."""
    types = copy_types(table, columns)
    described = zip(columns, types, strict=True)
    await stage(connection, name, ", ".join(f'"{column}" {kind}' for column, kind in described))
    return await copy_rows(connection, name, columns, rows, types)


async def stage(connection: AsyncConnection, name: str, ddl_columns: str) -> None:
    """An empty temporary table of this session, emptied again at commit.

    ``ddl_columns`` is the column list as in CREATE TABLE. The table is created once per pooled
    connection and kept, so a transaction costs one round trip and no catalogue rows; one name
    must always mean the same columns.
    """
    driver = await raw(connection)
    table = sql.Identifier(name)
    columns = sql.SQL(ddl_columns)
    await driver.execute(
        sql.SQL(
            "CREATE TEMPORARY TABLE IF NOT EXISTS {} ({}) ON COMMIT DELETE ROWS; DELETE FROM {}"
        ).format(table, columns, table)
    )
