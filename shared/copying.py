"""Many rows at once into a table: COPY, in PostgreSQL's binary format where the types are known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    types: Sequence[str],
) -> int:
    """COPY rows into a table of the search path (or ``schema.table``); returns how many.

    Values are Python values, None is NULL. ``types``: PostgreSQL's names, one per column (see
    ``copy_types``); the binary format accepts only values that fit them exactly (an int for a date
    column is an error of the server).
    Raises NumericValueOutOfRange, as the server would, for an int beyond its column.
    COPY never ignores a conflict: copy into a ``stage`` when the rows may already be there.
    """
    driver = await raw(connection)
    statement = _copy_of_blocks(table, tuple(columns))
    count, waiting = 0, iter(rows)
    async with driver.cursor() as cursor, cursor.copy(statement) as copy:
        transformer, begins = _transformer(types, driver), _binary_signature
        while part := list(islice(waiting, _AT_ONCE)):
            count += len(part)
            _check(part, types)
            await copy.write(begins + _formatted(part, transformer))
            begins = b""
        await copy.write(begins + _binary_trailer)
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
    _check(rows, types)
    _check([shared], shared_types)
    own = _transformer(types, _BLOCKS)
    if not shared:
        return bytes(_binary_signature + _formatted(rows, own) + _binary_trailer)
    end_of_row = _formatted([shared], _transformer(shared_types, _BLOCKS))[2:]  # without its count
    block = _formatted(rows, own, end_of_row, len(types) + len(shared))
    return bytes(_binary_signature + block + _binary_trailer)


def _formatted(
    rows: Sequence[Sequence[Any]],
    transformer: psycopg.abc.Transformer,
    end_of_row: bytes | bytearray = b"",
    fields: int = 0,
) -> bytearray:
    """The rows' bytes, each followed by fields that were formatted before; ``fields``: how many
    there are in all then."""
    block, count = bytearray(), fields.to_bytes(2, "big")
    try:
        if not end_of_row:
            for row in rows:
                format_row_binary(row, transformer, block)
            return block
        for row in rows:
            begins = len(block)
            format_row_binary(row, transformer, block)
            block[begins : begins + 2] = count
            block += end_of_row
    except OverflowError as error:
        raise psycopg.errors.NumericValueOutOfRange(str(error)) from error
    return block


def _transformer(types: Sequence[str], context: Any) -> psycopg.abc.Transformer:
    transformer = Transformer(context)
    oids = [psycopg.adapters.types.get_oid(kind) for kind in types]
    transformer.set_dumper_types(oids, Format.BINARY)
    return transformer


def _check(rows: Sequence[Sequence[Any]], types: Sequence[str]) -> None:
    """Narrow integers are within their types: the driver would cut off the higher bytes."""
    for place, kind in enumerate(types):
        limit = _NARROW.get(kind)
        if limit is None:
            continue
        values = [row[place] for row in rows]
        if None in values:
            values = [value for value in values if value is not None]
        if values and not -limit <= min(values) <= max(values) < limit:
            raise psycopg.errors.NumericValueOutOfRange(f"a value is beyond {kind}")


class _Blocks:
    """How values are dumped without a connection: bytes the quick way, not as DB-API's Binary."""

    connection = None

    def __init__(self) -> None:
        self.adapters = psycopg.adapt.AdaptersMap(psycopg.adapters)
        self.adapters.register_dumper(bytes, BytesBinaryDumper)


_BLOCKS = _Blocks()


_NARROW = {"int2": 2**15, "smallint": 2**15, "int4": 2**31, "integer": 2**31}


_AT_ONCE = 500
"""So many rows are in memory as bytes."""


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
