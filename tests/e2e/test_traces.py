"""One trace id leads from a department's request through outbox and bus to the figure, and back."""

from __future__ import annotations

import asyncio
import json
from io import StringIO
from pathlib import Path
from typing import Any

import confluent_kafka
import pytest

from kuomian.kafka_broker import KafkaBroker
from shared.clock import FixedClock
from shared.settings import Settings
from shared.spans import SpanKind, spanning, traced
from shared.telemetry import new_trace, tracing
from tax_feed.feeds import EMPLOYER_CHECKS
from tests.conftest import PostgresForTests
from tests.e2e.collector import Collector, Seen
from tests.e2e.four_services import bearer, four_services, until

FIGURE = "/reporting/v1/figures/leads-open.210502.2008-06-D1.cumulative/entries"
SERVER, PRODUCER, CONSUMER = 2, 4, 5
"""Kinds of spans as OTLP numbers them."""


async def push_and_open(
    postgres: PostgresForTests, folder: Path, clock: FixedClock, **given: Any
) -> tuple[str, dict[str, Any]]:
    """Push one record that makes a lead, wait for the figure, open it down to the delivery.
    Gives the trace id the department was told and the delivery the figure's entry leads to."""
    async with four_services(postgres, folder, clock, **given) as client:
        pushed = await client.post(
            "/tax-feed/v1/feeds/employer-checks/deliveries",
            params={"period": "2008-05"},
            headers=bearer(folder, "tax")
            | {"Idempotency-Key": "no-1", "Content-Type": "application/x-ndjson"},
            content=json.dumps(dict(EMPLOYER_CHECKS.example)),
        )
        assert pushed.status_code == 201, pushed.text
        assert pushed.json()["applied"] == 1

        async def entries() -> Any:
            answer = await client.get(FIGURE, headers=bearer(folder, "auditor"))
            assert answer.status_code == 200, answer.text
            # The lead is enrollment's fact, the delivery tax-feed's: known when both have come.
            found = answer.json()["items"]
            return [one for one in found if one["delivery"]["href"].startswith("/tax-feed/")]

        (entry,) = await until(entries)
        opened = await client.get(entry["delivery"]["href"], headers=bearer(folder, "auditor"))
        assert opened.status_code == 200, opened.text
        assert opened.json()["disposition"] == "applied"
        path = entry["delivery"]["href"].partition("/records/")[0]
        delivery = await client.get(path, headers=bearer(folder, "auditor"))
        assert delivery.status_code == 200, delivery.text
        return pushed.headers["Trace-Id"], delivery.json()


def follow(spans: list[Seen], trace_id: str) -> list[tuple[str, str, int]]:
    """Service, name and kind of each span of the trace, once; every parent is among them."""
    own = [span for span in spans if span.trace_id == trace_id]
    ids = {span.span_id for span in own}
    assert [span.name for span in own if not span.parent_id] == [own[0].name]
    assert all(span.parent_id in ids for span in own[1:])
    assert not [span for span in own if span.failed]
    return list(dict.fromkeys((span.service, span.name, span.kind) for span in own))


WAY = {
    (
        "tax-feed",
        "POST /v1/feeds/{feed}/deliveries",
        SERVER,
    ),
    ("tax-feed", "apply employer-checks", 1),
    ("tax-feed", "publish tax-feed.events", PRODUCER),
    ("enrollment", "apply tax-feed.events", CONSUMER),
    ("enrollment", "publish enrollment.events", PRODUCER),
    ("reporting", "apply tax-feed.events", CONSUMER),
    ("reporting", "apply enrollment.events", CONSUMER),
}


async def test_one_trace_leads_from_the_request_to_the_figure_and_back(
    postgres: PostgresForTests,
    tmp_path: Path,
    clock: FixedClock,
    collector: Collector,
    logged: StringIO,
) -> None:
    trace_id, delivery = await push_and_open(
        postgres, tmp_path, clock, otlp_endpoint=collector.endpoint
    )
    assert delivery["trace_id"] == trace_id
    spans = collector.spans
    way = follow(spans, trace_id)
    assert way[0][2] == SERVER
    assert set(way) >= WAY, way
    (applied,) = (s for s in spans if s.name == "apply employer-checks")
    assert applied.attributes["kuomian.delivery"] == delivery["delivery"]
    assert applied.attributes["kuomian.applied"] == 1
    (request,) = (span for span in spans if span.trace_id == trace_id and span.kind == SERVER)
    assert request.attributes["http.response.status_code"] == 201
    assert request.attributes["http.route"] == "/v1/feeds/{feed}/deliveries"
    assert any(
        line.get("trace_id") == trace_id and line["event"] == "request"
        for line in map(json.loads, logged.getvalue().splitlines())
    )
    # Whoever opened the figure made traces of their own.
    assert {span.trace_id for span in spans if "/figures/" in span.name}.isdisjoint({trace_id})


@pytest.mark.kafka
async def test_over_the_real_broker_the_messages_carry_the_publisher_s_span(
    postgres: PostgresForTests,
    tmp_path: Path,
    clock: FixedClock,
    collector: Collector,
    empty_kafka: KafkaBroker,
) -> None:
    kafka = {name.lower(): value for name, value in empty_kafka.environment().items()}
    trace_id, delivery = await push_and_open(
        postgres, tmp_path, clock, otlp_endpoint=collector.endpoint, **kafka
    )
    assert delivery["trace_id"] == trace_id
    assert set(follow(collector.spans, trace_id)) >= WAY
    carried = await asyncio.to_thread(headers, empty_kafka, "tax-feed.events")
    version, carried_trace, span_id, flags = carried["traceparent"].split("-")
    assert (version, carried_trace, flags) == ("00", trace_id, "01")
    publishing = {s.span_id for s in collector.spans if s.name == "publish tax-feed.events"}
    assert span_id in publishing
    applied = [s for s in collector.spans if s.name == "apply tax-feed.events"]
    assert {span.parent_id for span in applied} <= publishing


def headers(broker: KafkaBroker, topic: str) -> dict[str, str]:
    """The headers of the topic's first message, as another system's client reads them."""
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": broker.address(),
            "group.id": "somebody else",
            "auto.offset.reset": "earliest",
        }
    )
    try:
        consumer.subscribe([topic])
        found: Any = consumer.poll(30)
    finally:
        consumer.close()
    assert found is not None and found.error() is None
    return {name: value.decode() for name, value in found.headers()}


async def test_work_of_several_traces_begins_its_own_and_links_to_theirs(
    collector: Collector,
) -> None:
    one, two = new_trace(), new_trace()
    async with traced(Settings(otlp_endpoint=collector.endpoint)) as sends:
        assert sends
        parents = [one.traceparent, two.traceparent, one.traceparent, None, "nonsense"]
        with spanning("reporting", "mixed", parents, kind=SpanKind.CONSUMER) as work:
            own = work.trace.trace_id
        with spanning("reporting", "same", [one.traceparent, one.child().traceparent]):
            pass
        unsampled = one.traceparent[:-2] + "00"
        with spanning("reporting", "unsampled", [unsampled]) as work:
            assert work.trace.traceparent.endswith("-00")
        with pytest.raises(KeyError), spanning("reporting", "fails"):
            raise KeyError("210502198001011234")
    mixed, same, fails = collector.spans
    assert mixed.links == (one.trace_id, two.trace_id)
    assert (mixed.trace_id, mixed.parent_id) == (own, "")
    assert (same.trace_id, same.parent_id) == (one.trace_id, one.span_id)
    assert same.links == (one.trace_id,)
    assert fails.failed and fails.attributes == {"error.type": "KeyError"}
    assert not any(b"210502198001011234" in body for body in collector.bodies)


async def test_without_a_collector_traces_go_on_and_nothing_is_sent() -> None:
    async with traced(Settings()) as sends:
        assert not sends
        with tracing(None) as outer, spanning("reporting", "x", [outer.traceparent]) as work:
            assert not work.sent
            assert work.trace.trace_id == outer.trace_id
            assert work.trace.span_id != outer.span_id


async def test_a_collector_that_is_away_stops_nobody() -> None:
    with Collector() as gone:
        endpoint = gone.endpoint
    async with asyncio.timeout(30):
        async with traced(Settings(otlp_endpoint=endpoint)):
            with spanning("reporting", "unheard"):
                pass
