"""Rows of a delimited text: the separator found by looking, quoting as spreadsheets write it."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator
from typing import Final

from shared.deliveries.tables.cells import Row
from shared.deliveries.tables.spec import (
    MAX_COLUMNS,
    MAX_LINE_CHARACTERS,
    SAMPLE_ROWS,
    TableRefused,
)

_SEPARATORS: Final = (",", "\t", ";", "|", "，")


def rows_of(lines: Iterable[str], found: dict[str, str], tabs: bool) -> Iterator[Row]:
    """Rows of the table, numbered as a spreadsheet shows them; ``found["separator"]``."""
    csv.field_size_limit(MAX_LINE_CHARACTERS)
    lines = iter(lines)
    sample = list(itertools.islice(lines, SAMPLE_ROWS))
    separator, declared = _separator(sample, tabs)
    found["separator"] = separator
    if declared:
        sample = sample[1:]
    # CR alone ends a line on an old Macintosh; csv knows neither it nor a mixture inside a chunk.
    reader = csv.reader(_unbroken(itertools.chain(sample, lines)), delimiter=separator)
    no = 1 if declared else 0
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            reason = f"{error} (行 line {reader.line_num})"
            raise TableRefused("table-damaged", reason=reason[:120]) from error
        if cells is None:
            return
        no += 1
        if len(cells) > MAX_COLUMNS:
            raise TableRefused("table-too-wide", row=str(no), limit=str(MAX_COLUMNS))
        yield Row(no, cells)


def _unbroken(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if "\r" in line:
            body = line.rstrip("\r\n")
            if "\r" in body and '"' not in body:
                yield from (part + "\n" for part in body.split("\r"))
                continue
            yield body + "\n" if body != line else line
        else:
            yield line


def _separator(sample: list[str], tabs: bool) -> tuple[str, bool]:
    """The separator, and whether the first line did nothing but name it (``sep=;``)."""
    first = sample[0].strip().lower() if sample else ""
    if first.startswith("sep=") and len(first) == 5:
        return first[4], True
    if tabs:
        return "\t", False
    best, most = ",", 0
    for separator in _SEPARATORS:
        counts: dict[int, int] = {}
        try:
            for cells in csv.reader(_unbroken(sample), delimiter=separator):
                counts[len(cells)] = counts.get(len(cells), 0) + 1
        except csv.Error:
            continue
        score = max((many * (width - 1) for width, many in counts.items()), default=0)
        if score > most:
            best, most = separator, score
    return best, False
