"""Cutting bodies into segments and finding everything wrong with a record."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.deliveries.readers import (
    READERS,
    SEGMENT_BYTES,
    Cut,
    Framing,
    JsonReader,
    Limits,
    NdjsonReader,
    reader_for,
)
from shared.deliveries.receipts import Counts, NotConserved, merged, pack
from shared.deliveries.shape import decode_records
from shared.problems import Problem

LIMITS = Limits(body_bytes=10**9, document_bytes=10**6, chunk_records=3)


def cuts_of(reader: Framing, body: bytes, step: int = 7) -> list[Cut]:
    splitter = reader.splitter(LIMITS)

    def cuts() -> Iterator[Cut]:
        for begin in range(0, len(body), step):
            yield from splitter.feed(body[begin : begin + step])
        yield from splitter.finish()

    return list(cuts())


def records_in(reader: Framing, cuts: list[Cut]) -> list[bytes]:
    found = []
    for cut in cuts:
        texts = reader.records(cut.data, cut.head_bytes, cut.tail_bytes)
        assert len(texts) == cut.record_count
        found += list(texts)
    return found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
SPACE = st.text(" \t\n\r", max_size=3)


class TestNdjson:
    @given(st.lists(JSON, max_size=12), st.integers(1, 40), st.sampled_from(["\n", "\r\n", "\n\n"]))
    def test_cuts_join_to_the_body_and_hold_whole_records(
        self, records: list[Any], step: int, end: str
    ) -> None:
        texts = [msgspec.json.encode(record) for record in records]
        body = b"".join(text + end.encode() for text in texts)
        cuts = cuts_of(NdjsonReader(), body, step)
        assert b"".join(cut.data for cut in cuts) == body
        assert [text.strip() for text in records_in(NdjsonReader(), cuts)] == texts
        assert all(cut.record_count <= 3 for cut in cuts)

    def test_blank_lines_after_a_byte_order_mark_are_no_records(self) -> None:
        cuts = cuts_of(NdjsonReader(), b'\xef\xbb\xbf\r\n{"a":1}\r\n')
        assert [text.strip() for text in records_in(NdjsonReader(), cuts)] == [b'{"a":1}']

    def test_blank_lines_make_no_segments(self) -> None:
        body = b"\n" * 100_000 + b'{"a":1}\n' + b"\r\n" * 50_000 + b'{"a":2}\n\n'
        cuts = cuts_of(NdjsonReader(), body, 10_000)
        assert b"".join(cut.data for cut in cuts) == body
        assert len(cuts) == 1
        assert len(records_in(NdjsonReader(), cuts)) == 2

    def test_a_last_line_in_another_encoding_is_not_called_cut_off(self) -> None:
        line = '{"name":"本溪"}'.encode("gbk")
        assert records_in(NdjsonReader(), cuts_of(NdjsonReader(), line)) == [line]
        with pytest.raises(Problem) as refused:
            cuts_of(NdjsonReader(), line[:-1])
        assert refused.value.code == "body-truncated"

    def test_a_line_without_end_is_not_gathered_for_ever(self) -> None:
        splitter = NdjsonReader().splitter(LIMITS)
        with pytest.raises(Problem) as refused:
            for _ in range(SEGMENT_BYTES // 1_000_000 + 2):
                list(splitter.feed(b"x" * 1_000_000))
        assert refused.value.code == "record-too-long"

    def test_long_lines_make_segments_shorter(self) -> None:
        splitter = NdjsonReader().splitter(Limits(10**9, 10**6, 10**6))
        cuts = [cut for _ in range(20) for cut in splitter.feed(b'"' + b"x" * 1_000_000 + b'"\n')]
        assert [cut.record_count for cut in cuts] == [9, 9]


class TestJson:
    @given(st.lists(JSON, min_size=1, max_size=12), SPACE, st.booleans(), st.integers(1, 40))
    def test_cuts_join_to_the_body_and_hold_whole_records(
        self, records: list[Any], space: str, wrapped: bool, step: int
    ) -> None:
        texts = [msgspec.json.encode(record) for record in records]
        gap = space.encode()
        body = gap + b"[" + gap + (gap + b"," + gap).join(texts) + gap + b"]" + gap
        if wrapped:
            body = gap + b'{"records":' + body + b"}" + gap
        cuts = cuts_of(JsonReader(), body, step)
        assert b"".join(cut.data for cut in cuts) == body
        assert records_in(JsonReader(), cuts) == texts

    @pytest.mark.parametrize(
        ("body", "records"),
        [
            (b'{"records": ["records", {"a":1}]}', [b'"records"', b'{"a":1}']),
            (b"[]", []),
            (b'\xef\xbb\xbf {"records" : [ ] } ', []),
            (b'\xef\xbb\xbf\n[1, 1,1,"1" ]\n', [b"1", b"1", b"1", b'"1"']),
        ],
    )
    def test_framing_is_never_taken_for_a_record(self, body: bytes, records: list[bytes]) -> None:
        cuts = cuts_of(JsonReader(), body)
        assert b"".join(cut.data for cut in cuts) == body
        assert records_in(JsonReader(), cuts) == records

    @pytest.mark.parametrize(
        "body",
        [
            b'{"records": [1], "records": [2]}',
            b'{"records": [1, 2], "records": [2, 1]}',
            b'{"records": [1], "\\u0072ecords": [2]}',
            b'{"\\u0072ecords": [2]}',
        ],
    )
    def test_records_named_twice_are_not_lost_without_a_word(self, body: bytes) -> None:
        with pytest.raises(Problem) as refused:
            cuts_of(JsonReader(), body)
        assert refused.value.code == "malformed-json"


class TestContentType:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("application/x-ndjson", "ndjson"),
            ("Application/JSON; charset=UTF-8", "json"),
            ("application/jsonl", "ndjson"),
        ],
    )
    def test_known(self, text: str, name: str) -> None:
        assert reader_for(text) is READERS[name]

    def test_unknown_names_the_known(self) -> None:
        with pytest.raises(Problem) as refused:
            reader_for("text/html")
        assert "application/x-ndjson" in refused.value.detail("en")


class Sample(msgspec.Struct, forbid_unknown_fields=True):
    code: Annotated[str, msgspec.Meta(pattern="^[0-9]+$", max_length=5)]
    on: date
    yuan: Decimal
    count: Annotated[int, msgspec.Meta(ge=0, le=9)] = 0
    kind: Literal["a", "b"] | None = None
    tags: list[Annotated[str, msgspec.Meta(max_length=2)]] = []


GOOD = b'{"code":"1","on":"2008-06-01","yuan":1.25}'


class TestShape:
    def test_money_keeps_its_decimals(self) -> None:
        (record,) = decode_records(Sample, [GOOD], 1000)
        assert isinstance(record, Sample)
        assert record.yuan == Decimal("1.25")

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            (b"[1]", [("type-wrong", "")]),
            (b"{", [("json-invalid", "")]),
            (b"[" * 900, [("type-wrong", "")]),
            (b'{"code":"\xff"}', [("utf8-invalid", "")]),
            (b'{"code":"\\ud800","on":"2008-06-01","yuan":1}', [("json-invalid", "")]),
            (
                b'{"code":"1\\u0000","on":"2008-06-01","yuan":1}',
                [("control-character", "/code")],
            ),
            (b'{"code":"1\\n","on":"2008-06-01","yuan":1}', [("pattern-mismatch", "/code")]),
            (
                b'{"code":"1\\u000A","on":"2008-06-01","yuan":" 1","tags":["a\\n"]}',
                [("pattern-mismatch", "/code"), ("money-invalid", "/yuan")],
            ),
            (GOOD + b" " * 1000, [("record-too-long", "")]),
            (GOOD[:-1] + b',"count":1.5}', [("type-wrong", "/count")]),
            (GOOD[:-1] + b',"count":false}', [("type-wrong", "/count")]),
            (GOOD[:-1] + b',"count":10}', [("value-out-of-range", "/count")]),
            (
                b'{"code":"x","on":"2008-02-30","yuan":"1,5","count":-1,"kind":"c",'
                b'"tags":["ok","long"],"z/y":0}',
                [
                    ("field-unknown", "/z~1y"),
                    ("pattern-mismatch", "/code"),
                    ("date-invalid", "/on"),
                    ("money-invalid", "/yuan"),
                    ("value-out-of-range", "/count"),
                    ("code-unknown", "/kind"),
                    ("length", "/tags/1"),
                ],
            ),
            (
                b"{}",
                [
                    ("field-missing", "/code"),
                    ("field-missing", "/on"),
                    ("field-missing", "/yuan"),
                ],
            ),
        ],
    )
    def test_every_fault_is_found(self, text: bytes, found: list[tuple[str, str]]) -> None:
        (problems,) = decode_records(Sample, [text], 1000)
        assert isinstance(problems, tuple)
        assert [(one.code, one.pointer) for one in problems] == found

    def test_an_escaped_backslash_is_no_control_character(self) -> None:
        text = b'{"code":"1","on":"2008-06-01","yuan":1,"tags":["\\\\u0000"]}'
        (problems,) = decode_records(Sample, [text], 1000)
        assert isinstance(problems, tuple)
        assert [one.code for one in problems] == ["length"]

    def test_a_text_without_pattern_may_end_in_a_line_break(self) -> None:
        text = GOOD[:-1] + b',"tags":["a\\n"]}'
        (record,) = decode_records(Sample, [text], 1000)
        assert isinstance(record, Sample)
        assert record.tags == ["a\n"]

    @given(st.binary(max_size=60))
    def test_nothing_breaks_it(self, text: bytes) -> None:
        (result,) = decode_records(Sample, [text], 1000)
        assert isinstance(result, tuple)
        assert result


class TestConservation:
    def test_a_byte_that_says_nothing_is_not_counted_over(self) -> None:
        with pytest.raises(NotConserved):
            Counts.of(b"\x01\x00")

    def test_a_record_from_elsewhere_is_refused(self) -> None:
        with pytest.raises(NotConserved):
            pack(3, 11, {14: "held"})  # type: ignore[dict-item]

    @pytest.mark.parametrize("counts", [Counts(1, 1), Counts(4, 0, -1, 0)])
    def test_counts_must_add_up(self, counts: Counts) -> None:
        with pytest.raises(NotConserved):
            counts.conserve(3)

    def test_codes_at_zero_are_left_out(self) -> None:
        assert merged({"a": 1, "b": 1}, ["a", "c"], -1) == {"b": 1, "c": -1}
