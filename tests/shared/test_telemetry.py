"""Logs never name a person, and a trace holds together."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from shared.settings import Settings
from shared.telemetry import (
    Trace,
    configure_logging,
    current_traceparent,
    masked,
    new_trace,
    parse_traceparent,
    tracing,
)

PERSON = "210502198001011234"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged, as text; the process's logging is put back afterwards."""
    root, written = logging.getLogger(), io.StringIO()
    before = (list(root.handlers), root.level)
    configure_logging(Settings(log_format="json", log_level="debug"))
    stream = root.handlers[0]
    assert isinstance(stream, logging.StreamHandler)
    stream.setStream(written)
    yield written
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"no {PERSON} here", "no 210502**********34 here"),
        ("21050219800101123X", "210502**********3X"),
        ("210502800101123", "210502*******23"),
        (PERSON + "00", "210502************00"),
        ("21050280010112300000", "210502************00"),
        ("21050280010112300", "210502*********00"),
        ("２１０５０２１９８００１０１１２３Ｘ", "２１０５０２**********３Ｘ"),
        ("12345678901234", "12345678901234"),
        ("1" * 21, "1" * 21),
        ("2008-06-10T04:00:00Z", "2008-06-10T04:00:00Z"),
    ],
)
def test_what_looks_like_an_identity_number_is_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


@given(st.recursive(st.just(PERSON) | st.integers(), lambda x: st.lists(x) | st.tuples(x, x)))
def test_however_deep(value: object) -> None:
    assert PERSON not in json.dumps(masked(value))
    assert PERSON not in json.dumps(masked({"a": {int(PERSON): [value, PERSON.encode()]}}))


def test_log_lines_carry_the_trace_and_no_person(lines: io.StringIO) -> None:
    with tracing(None) as trace:
        structlog.get_logger("x").info("seen", who=PERSON, nested=[{"id": int(PERSON)}])
        logging.getLogger("library").warning("id %s", PERSON)
        try:
            raise ValueError(PERSON)
        except ValueError:
            structlog.get_logger("x").exception("failed")
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert len(logged) == 3
    assert {line["trace_id"] for line in logged} == {trace.trace_id}
    assert "ValueError" in logged[2]["exception"]
    assert PERSON not in lines.getvalue()


def test_a_trace_id_stays_whole_but_names_nobody(lines: io.StringIO) -> None:
    by_chance = "a123456789012345678901234567890b"[:32]
    named = f"aaaaaaa{PERSON}bbbbbbb"
    for trace_id in (by_chance, named):
        with tracing(f"00-{trace_id}-b7ad6b7169203331-01"):
            structlog.get_logger("x").info("seen")
    first, second = (json.loads(line) for line in lines.getvalue().splitlines())
    assert first["trace_id"] == by_chance
    assert second["trace_id"] != named
    assert PERSON not in lines.getvalue()


def test_a_traceparent_is_read_and_handed_on() -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    read = parse_traceparent(parent)
    assert read == Trace("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    assert current_traceparent() is None
    with tracing(parent) as trace:
        assert trace.trace_id == "0af7651916cd43dd8448eb211c80319c"
        assert trace.span_id != "b7ad6b7169203331"
        assert current_traceparent() == trace.traceparent
    assert current_traceparent() is None
    assert parse_traceparent(new_trace().traceparent) is not None


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
    ],
)
def test_an_invalid_traceparent_is_ignored(value: str | None) -> None:
    assert parse_traceparent(value) is None
    with tracing(value) as trace:
        assert trace.trace_id.strip("0")


def test_a_later_version_is_read_as_far_as_known() -> None:
    later = "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-future"
    assert parse_traceparent(later) is not None
