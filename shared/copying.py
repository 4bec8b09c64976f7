"""Rows whose keys nobody has, as nearly always: copied straight into their table, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import binary_block, copy_block, copy_types


async def copy_new(
    conn: AsyncConnection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> bool:
    """Copy rows into a declared table, in a savepoint; False, and nothing has happened, when a
    row with one of their unique keys is there. Give them in key order where others write as well.

    A table asked beforehand for each key would cost a third of the copying; but every failed try
    leaves dead rows, so this is for keys that are hardly ever known.
    """
    block = binary_block(rows, copy_types(table, columns))
    try:
        async with conn.begin_nested():
            await copy_block(conn, table.name, columns, block)
    except psycopg.errors.UniqueViolation:
        return False
    return True
