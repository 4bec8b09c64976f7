"""How a body of a content type is cut into segments of whole records, and read again.

A reader never looks at what a record says, only at where it begins and ends; judging does the
rest. Tables (CSV, XLSX) are read into records first (``shared.deliveries.tables``): their segments
are NDJSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Protocol

import msgspec

from shared.problems import problem

SEGMENT_BYTES: Final = 8 * 1024 * 1024
"""A segment is cut before CHUNK_RECORDS when it has grown beyond this; also the longest line."""

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Limits:
    """What a body may measure; bytes, and records per segment."""

    body_bytes: int
    document_bytes: int
    chunk_records: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A piece of the body that holds whole records. All cuts joined are the body."""

    data: bytes
    record_count: int
    head_bytes: int = 0
    """Framing before the first record."""
    tail_bytes: int = 0
    """Framing after the last record."""


class Splitter(Protocol):
    """Cuts one body while it arrives."""

    def feed(self, data: bytes) -> Iterator[Cut]:
        """Take the next bytes; give the cuts that are complete. Raises a Problem."""

    def finish(self) -> Iterator[Cut]:
        """The body has ended: give the rest. Raises a Problem if cut off or badly framed."""


class Reader(Protocol):
    """A way of framing records."""

    name: str
    media_types: tuple[str, ...]

    def records(self, data: bytes, head_bytes: int, tail_bytes: int) -> Sequence[bytes]:
        """The records of a cut, each as JSON text, in order; as many as its ``record_count``."""

    def pieces(self, cut: Cut, shares: Sequence[float]) -> list[Cut]:
        """The cut in pieces of about these shares of its length, or in fewer, for who has it in
        hand."""


class Framing(Reader, Protocol):
    """A way of framing that cuts a body as it came."""

    def splitter(self, limits: Limits) -> Splitter:
        """A fresh splitter for one body."""


class NdjsonReader:
    """One JSON text per line (RFC 8259 each). Blank lines are no records."""

    name = "ndjson"
    media_types: tuple[str, ...] = (
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
    )

    def splitter(self, limits: Limits) -> Splitter:
        return _NdjsonSplitter(limits)

    def records(self, data: bytes, head_bytes: int, tail_bytes: int) -> Sequence[bytes]:
        return _lines(data)

    def pieces(self, cut: Cut, shares: Sequence[float]) -> list[Cut]:
        return _line_pieces(cut, shares)


def _line_pieces(cut: Cut, shares: Sequence[float]) -> list[Cut]:
    """Cut at line ends near these lengths. A mark (BOM) begins none but the first: there it would
    be left out, elsewhere it is part of a record."""
    data, found, begin, left = cut.data, [], 0, cut.record_count
    for share in list(accumulate(shares))[:-1]:
        end = data.find(b"\n", max(int(len(data) * share), begin)) + 1
        if end == 0 or data.startswith(_BOM, end):
            continue
        piece = data[begin:end]
        count = _count_inner_lines(piece if begin else piece.removeprefix(_BOM))
        if not 0 < count < left:
            continue
        found.append(Cut(piece, count))
        begin, left = end, left - count
    return [*found, Cut(data[begin:], left)]


def _lines(data: bytes) -> list[bytes]:
    return _inner_lines(data.removeprefix(_BOM))


def _inner_lines(data: bytes) -> list[bytes]:
    lines = [line for line in data.split(b"\n") if line]
    # Blank lines are rare: look at each line only where there may be some.
    if _may_hold_blank_lines(data):
        lines = [line for line in lines if not line.isspace()]
    return lines


_SPACE_FIRST: Final = re.compile(rb"\n\s")


def _may_hold_blank_lines(data: bytes) -> bool:
    return data[:1].isspace() or _SPACE_FIRST.search(data) is not None


def _count_inner_lines(data: bytes) -> int:
    """``len(_inner_lines(data))``, mostly without making them."""
    if _may_hold_blank_lines(data):
        return len(_inner_lines(data))
    return data.count(b"\n") + (data[-1:] not in (b"\n", b""))


class _NdjsonSplitter:
    """Blank lines count towards no segment: a body of them alone would make thousands."""

    def __init__(self, limits: Limits) -> None:
        self._chunk = limits.chunk_records
        self._buffer = bytearray()
        self._newlines = 0
        self._lines = 0
        self._ready = bytearray()
        """Whole lines before the buffer, too few records for a segment."""
        self._ready_count = 0

    def feed(self, data: bytes) -> Iterator[Cut]:
        self._buffer += data
        self._newlines += data.count(b"\n")
        while True:
            wanted = self._chunk - self._ready_count
            long = len(self._ready) + len(self._buffer) > SEGMENT_BYTES
            if self._newlines < wanted and not long:
                return
            if self._newlines:
                # Nothing but blank lines is taken in one step, however much it is.
                blank = self._buffer.isspace()
                self._take(self._newlines if blank else min(self._newlines, wanted))
            elif not self._ready:
                raise problem("record-too-long", no=self._lines + 1, limit=SEGMENT_BYTES)
            # Half a segment will do: lines are never taken one by one.
            if long or self._ready_count * 2 >= self._chunk:
                cut = Cut(bytes(self._ready), self._ready_count)
                self._ready.clear()
                self._ready_count = 0
                yield cut

    def _take(self, count: int) -> None:
        if count == self._newlines:
            end = self._buffer.rfind(b"\n") + 1
        else:
            end = len(self._buffer) - len(bytes(self._buffer).split(b"\n", count)[-1])
        lines = bytes(self._buffer[:end])
        # A mark that stands at the beginning of later lines counts as what it is: a record.
        counted = lines if self._ready else lines.removeprefix(_BOM)
        self._ready_count += _count_inner_lines(counted)
        self._ready += lines
        del self._buffer[:end]
        self._newlines -= count
        self._lines += count

    def finish(self) -> Iterator[Cut]:
        rest = bytes(self._ready + self._buffer)
        last = rest.rpartition(b"\n")[2]
        if last.strip() and not last.rstrip().endswith(b"}") and not _is_json(last):
            # No newline after it and no JSON in it: the sender was cut off inside this line.
            # One that ends as a record does is whole and wrong (in GBK, say): rejected alone.
            raise problem("body-truncated", reason="最后一行不完整 · the last line is incomplete")
        if rest:
            yield Cut(rest, _count_inner_lines(rest.removeprefix(_BOM)))


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text.removeprefix(_BOM))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    records: list[msgspec.Raw]


_WRAPPED: Final = re.compile(rb'[ \t\r\n]*\{[ \t\r\n]*"records"[ \t\r\n]*:')


class JsonReader:
    """One JSON document: an array of records, or ``{"records": […]}``."""

    name = "json"
    media_types: tuple[str, ...] = ("application/json",)

    def splitter(self, limits: Limits) -> Splitter:
        return _JsonSplitter(limits)

    def records(self, data: bytes, head_bytes: int, tail_bytes: int) -> Sequence[bytes]:
        inner = data[head_bytes : len(data) - tail_bytes]
        return [bytes(raw) for raw in _RAW_LIST.decode(b"[" + inner + b"]")]

    def pieces(self, cut: Cut, shares: Sequence[float]) -> list[Cut]:
        return [cut]


_RAW_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_RAW_DOCUMENT = msgspec.json.Decoder(_Document)


class _JsonSplitter:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Cut]:
        self._buffer += data
        if len(self._buffer) > self._limits.document_bytes:
            raise problem("body-too-long", limit=self._limits.document_bytes)
        yield from ()

    def finish(self) -> Iterator[Cut]:
        data = bytes(self._buffer)
        spans = list(_spans(data))
        if not spans:
            if data:
                yield Cut(data, 0, head_bytes=len(data))  # all framing, as "[]"
            return
        step = self._limits.chunk_records
        for first in range(0, len(spans), step):
            chunk = spans[first : first + step]
            begin = chunk[0][0] if first else 0
            end = spans[first + step][0] if first + step < len(spans) else len(data)
            yield Cut(data[begin:end], len(chunk), chunk[0][0] - begin, end - chunk[-1][1])


def _raw_records(text: bytes) -> list[msgspec.Raw]:
    """The records of a whole document, without BOM; a Problem for what is none."""
    try:
        if text.lstrip()[:1] == b"{":
            return _RAW_DOCUMENT.decode(text).records
        return _RAW_LIST.decode(text) if text.strip() else []
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if "truncated" in str(error):
            raise problem("body-truncated", reason="JSON 未结束 · the JSON does not end") from error
        raise problem("malformed-json", reason=str(error)[:200]) from error


def _spans(data: bytes) -> Iterator[tuple[int, int]]:
    """Where each record stands. Between records there are only spaces and commas, so the first
    occurrence after the one before is the record itself."""
    position = len(_BOM) if data.startswith(_BOM) else 0
    raws = _raw_records(data[position:])
    if wrapped := _WRAPPED.match(data, position):
        position = wrapped.end()  # a record may say "records" too
        _check_stands_once(data[position:])
    elif data[position:].lstrip()[:1] == b"{":
        raise problem("malformed-json", reason='"records" 不得转义 · must not be escaped')
    for raw in raws:
        text = bytes(raw)
        begin = data.index(text, position)
        position = begin + len(text)
        yield begin, position


def _check_stands_once(inner: bytes) -> None:
    """``inner``, from after ``"records":`` to the end of a well-formed document, is one array.

    JSON lets a name stand twice and readers take the last: the records of the first array would
    be lost without a word.
    """
    try:
        _RAW_LIST.decode(inner.rstrip(b" \t\r\n").removesuffix(b"}"))
    except msgspec.DecodeError as error:
        reason = '"records" 出现多次 · stands more than once'
        raise problem("malformed-json", reason=reason) from error


class TableReader:
    """The records read from a table, as its segments hold them."""

    def __init__(self, name: str, *media_types: str) -> None:
        self.name = name
        self.media_types = media_types

    def records(self, data: bytes, head_bytes: int, tail_bytes: int) -> Sequence[bytes]:
        return _lines(data)

    def pieces(self, cut: Cut, shares: Sequence[float]) -> list[Cut]:
        return _line_pieces(cut, shares)


_ALL: Final[tuple[Framing | TableReader, ...]] = (
    NdjsonReader(),
    JsonReader(),
    TableReader("csv", "text/csv", "text/tab-separated-values"),
    TableReader("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
)

READERS: Final[dict[str, Framing | TableReader]] = {reader.name: reader for reader in _ALL}
"""Readers by name, the name kept with each delivery."""


TABLE_FORMS: Final = frozenset(one.name for one in _ALL if isinstance(one, TableReader))
"""Readers whose segments hold what was read, not what was sent."""

LINE_FORMS: Final = TABLE_FORMS | {NdjsonReader.name}
"""Readers whose segments hold a record a line."""


def reader_for(content_type: str) -> Framing | TableReader:
    """The reader of a Content-Type; the problem ``content-type-unsupported`` naming those known."""
    media_type = content_type.partition(";")[0].strip().lower()
    for reader in READERS.values():
        if media_type in reader.media_types:
            return reader
    known = ", ".join(reader.media_types[0] for reader in READERS.values())
    raise problem("content-type-unsupported", content_type=media_type or "—", supported=known)
