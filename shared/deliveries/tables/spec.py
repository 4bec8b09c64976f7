"""What reading a table needs to know of a feed: plain values, sent to the reading process."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Kind = Literal[
    "text", "identifier", "money", "rate", "int", "date", "month", "dekad", "bool", "code", "list"
]

MAX_COLUMNS: Final = 1000
"""Columns of a table that is read at all."""
MAX_LINE_CHARACTERS: Final = 1024 * 1024
"""Longest line, and longest cell, of a text table."""
MAX_PART_BYTES: Final = 1024 * 1024 * 1024
"""Largest part of a workbook when unpacked."""
MAX_STRINGS_BYTES: Final = 48 * 1024 * 1024
"""Shared strings of a workbook, unpacked."""
SAMPLE_ROWS: Final = 200
"""The heading stands within so many rows from the top."""


class TableRefused(Exception):
    """The table cannot be read as a whole: a code of ``shared.problems``, its params, and
    ``lists`` that the problem has as members of its own, for programs."""

    def __init__(
        self, code: str, lists: dict[str, list[str]] | None = None, /, **params: str
    ) -> None:
        super().__init__(code, params)
        self.lists = lists or {}
        self.code = code
        self.params = params


class FieldSpec(msgspec.Struct, frozen=True):
    """One field of the record, as a table may state it."""

    name: str
    kind: Kind
    zh: str
    """Its Chinese name, the first of its headings."""
    headings: tuple[str, ...]
    """All headings it is known under, as written."""
    required: bool
    pattern: str | None = None
    codes: tuple[str, ...] = ()
    """Of a coded field, the codes; empty where any text of the pattern will do."""
    labels: dict[str, str] = {}
    """What may stand for a code: folded label → code."""
    personal: bool = False
    parts: tuple[FieldSpec, ...] = ()
    """Of a list, the fields of its items."""


class TableSpec(msgspec.Struct, frozen=True):
    """All that reading one table takes besides its bytes."""

    form: Literal["csv", "xlsx"]
    fields: tuple[FieldSpec, ...]
    period: str
    period_kind: Literal["month", "dekad", "day"]
    today: str
    """ISO; two-digit years lie before it."""
    chunk_records: int
    body_bytes: int
    """Largest text, unpacked."""
    document_bytes: int
    """Largest workbook, as sent."""
    units: dict[str, str] = {}
    """Reporting units by folded name → code."""
    own_units: tuple[str, ...] = ()
    """Codes of the units the sender speaks for; empty for all."""
    mapping: dict[str, str] = {}
    """Heading, as ``heading_key`` has it → field, as the department has saved it."""
    sheet: str | None = None
    gzipped: bool = False
    tabs: bool = False
    """The sender says it is tab-separated."""
    rows_only: bool = False
    """Give the rows as they stand, no records."""


class Repair(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A cell that was read as something else than it says. ``to`` None: not stated."""

    field: str
    original: str
    to: str | None
    rule: str


class Fault(msgspec.Struct, frozen=True, array_like=True):
    """Why a cell cannot be taken: a row problem's code, its field and params."""

    code: str
    field: str
    params: dict[str, str] = {}


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """Records on their way: NDJSON lines, and for each its row and repairs."""

    lines: bytes
    count: int
    rows: list[int]
    repairs: dict[int, list[Repair]]
    """By index within the batch."""


REFUSED: Final = "cell-faults"
"""First item of the line of a record whose cells cannot all be taken: ``[REFUSED, faults,
what could be read]``. No record of a feed is an array, so it cannot be mistaken for one."""
