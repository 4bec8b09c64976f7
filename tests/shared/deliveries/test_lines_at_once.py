"""Lines read in one go, and a segment in pieces, come to what they come to line by line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.deliveries.readers import READERS, Cut, NdjsonReader
from shared.deliveries.shape import decode_lines, decode_records

LONGEST = 120


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    a: int = 0


class Sample(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    no: Annotated[str, msgspec.Meta(pattern="^[0-9]{1,3}$")]
    on: date | None = None
    inner: Inner | None = None
    text: str = ""


RIGHT = st.builds(
    Sample,
    no=st.from_regex(r"[0-9]{1,3}", fullmatch=True),
    on=st.none() | st.dates(),
    inner=st.none() | st.builds(Inner, st.integers(0, 9)),
    text=st.text(max_size=4) | st.sampled_from(["本溪\n", '"\\', "\0", "}\n{"]),
).map(msgspec.json.encode)
ODD = st.sampled_from(
    [
        b'{"no":"1"}{"no":"2"}',
        b'{"no":"1","inner":',
        b'{"a":1}}',
        b"{",
        b"}",
        b'{"no":"1"} ',
        b' {"no":"1"}',
        b'{"no":"1"}\r',
        b'{"no":"1\\n"}',
        b'{"no":"x"}',
        b'{"no":"1","text":"' + b"x" * LONGEST + b'"}',
        b'{"no":"1","text":"\xc4\xe3"}',
        b"[]",
        b"",
        b"\xef\xbb\xbf",
        b'\xef\xbb\xbf{"no":"1"}',
    ]
)
LINES = st.lists(RIGHT | ODD, min_size=1, max_size=12) | st.lists(RIGHT, min_size=1, max_size=12)
BODY = st.tuples(LINES, st.sampled_from([b"", b"\n", b"\n\n"])).map(
    lambda given: b"\n".join(given[0]) + given[1]
)


def told(records: Sequence[Any]) -> list[Any]:
    """What records say, whichever form of the shape they have; what is no record as it is."""
    return [one if isinstance(one, tuple) else msgspec.structs.asdict(one) for one in records]


@given(BODY)
@example(b'{"no":"1","inner":\n{"a":1}}\n{"no":"1"}{"no":"2"}\n')
@example(b'{"no":"1"}{"no":"2"}\n{"no":"1","inner":\n{"a":1}}\n')
def test_what_is_read_in_one_go_is_what_each_line_is(body: bytes) -> None:
    texts = list(NdjsonReader().records(body, 0, 0))
    line_by_line = decode_records(Sample, texts, LONGEST)
    at_once = decode_lines(Sample, body, len(texts), LONGEST)
    assert at_once is None or told(at_once) == told(line_by_line)


@pytest.mark.parametrize("end", [b"\n", b""])
def test_right_lines_are_read_in_one_go(end: bytes) -> None:
    body = b'{"no":"1","text":"\\u672c"}\n{"no":"2","inner":{"a":1}}' + end
    found = decode_lines(Sample, body, 2, LONGEST)
    assert found is not None
    assert told(found) == told([Sample(no="1", text="本"), Sample(no="2", inner=Inner(1))])
    assert all(isinstance(one, Sample) for one in found)


@pytest.mark.parametrize("name", ["ndjson", "csv"])
@given(body=BODY, sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_pieces_hold_the_records_of_the_whole(name: str, body: bytes, sizes: list[int]) -> None:
    reader = READERS[name]
    texts = list(reader.records(body, 0, 0))
    pieces = reader.pieces(Cut(body, len(texts)), [size / sum(sizes) for size in sizes])
    assert b"".join(piece.data for piece in pieces) == body
    found = [list(reader.records(piece.data, 0, 0)) for piece in pieces]
    assert [len(one) for one in found] == [piece.record_count for piece in pieces]
    assert [text for one in found for text in one] == texts
    assert len(pieces) <= len(sizes)
