"""The limits everything is compared with, measured again in every round."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

import psycopg

from tests.benchmarks.machine import Placing
from tests.benchmarks.made import Made, Numbers, parts
from tests.benchmarks.rounds import Sample, check_rows


def plain_table(url: str, name: str, columns: dict[str, str], key: str) -> None:
    """A table of these columns with a primary key and nothing else."""
    listed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(f'CREATE TABLE "{name}" ({listed}, PRIMARY KEY ({key}))'.encode())


ROWS: Final = 50_000
"""Always so many: fewer are copied in less time than two cores can be timed by."""


class CopyOfPrepared:
    """COPY of prepared tuples of the same rows into a plain table with a primary key: the
    100 % of every share. As many rows in a COPY, and a transaction, as the other side has in a
    request. The table grows from round to round as the product's own does."""

    def __init__(
        self,
        url: str,
        made: Made,
        numbers: Numbers,
        batch: int,
        placing: Placing,
        name: str = "copy",
    ) -> None:
        self.name = name
        self._made, self._numbers, self._batch = made, numbers, batch
        self._size = max(ROWS, batch)
        self._placing = placing
        self._table = f"plain_{name.replace(' ', '_').replace(',', '')}"
        plain_table(url, self._table, made.columns, made.key)
        self._conn = psycopg.connect(url, autocommit=True)
        self._rows: list[tuple[Any, ...]] = []
        self._total = 0

    def prepare(self, round_no: int) -> None:
        made = self._made
        self._rows = made.tuples(made.records(self._numbers.take(self._size), self._size))
        self._total += self._size

    def run(self) -> Sample:
        with self._placing.on(self._placing.python):
            return copied(self._conn, self._table, list(parts(self._rows, self._batch)))

    def check(self) -> None:
        found = self._conn.execute(f"SELECT count(*) FROM {self._table}".encode()).fetchone()
        check_rows(self.name, int(found[0]) if found else 0, self._total)

    def close(self) -> None:
        """End the session."""
        self._conn.close()


def copied(
    conn: psycopg.Connection[Any], table: str, batches: Sequence[Sequence[tuple[Any, ...]]]
) -> Sample:
    """COPY each batch in a transaction of its own. The connection commits by itself."""
    statement = f"COPY {table} FROM STDIN".encode()
    began = time.perf_counter()
    for batch in batches:
        with conn.cursor() as cursor, cursor.copy(statement) as copy:
            for row in batch:
                copy.write_row(row)
    return Sample(sum(map(len, batches)), time.perf_counter() - began)
