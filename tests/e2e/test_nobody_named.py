"""Whoever writes an identity number where none belongs never sees it in logs, spans or metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from kuomian.demo.drain import flow_from
from kuomian.services import all_services
from shared.clock import FixedClock
from shared.crypto import mask_identity
from shared.deliveries.feed import Feed
from shared.identifiers import make_identity_no
from tests.conftest import PostgresForTests
from tests.e2e.collector import Collector
from tests.e2e.four_services import bearer, four_services, until

PERIODS = {"month": "2008-05", "dekad": "2008-06-D1", "day": "2008-06-09"}
WIDE = str.maketrans("0123456789X", "".join(map(chr, [*range(0xFF10, 0xFF1A), 0xFF38])))


class Numbers:
    """A fresh person for every place, so that a number found tells where it came from."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {}
        self._next = count(1)

    def at(self, place: str) -> str:
        """A number to write there."""
        days, sequence = divmod(next(self._next), 999)
        number = make_identity_no("210502", date(1968, 5, 17 + days), 1 + sequence)
        self.places[number] = place
        return number


def records(feed: Feed, numbers: Numbers) -> Iterator[str]:
    """The feed's example with a person in every field, in a field there is not, and cut off."""
    example = dict(feed.example)
    yield json.dumps(example)
    for name in example:
        for form in ("{}", "张三 {},女", "{}00", "x-{}"):
            number = numbers.at(f"{feed.name} {name} as {form}")
            yield json.dumps({**example, name: form.format(number)}, ensure_ascii=False)
    yield json.dumps({**example, numbers.at(f"{feed.name} as a field's name"): 1})
    wide = numbers.at(f"{feed.name} full width").translate(WIDE)
    yield json.dumps({**example, "name": wide}, ensure_ascii=False)
    yield f'{{"identity_no": "{numbers.at(f"{feed.name} cut off")}", '


async def push_everything(client: httpx.AsyncClient, folder: Path, numbers: Numbers) -> int:
    """Every feed's records; gives how many deliveries were receipted."""
    receipted = 0
    for service in all_services():
        for feed in service.feeds:
            department = sorted(feed.departments)[0]
            pushed = await client.post(
                f"/{service.name}/v1/feeds/{feed.name}/deliveries",
                params={"period": PERIODS[feed.period_kind]},
                headers=bearer(folder, department)
                | {
                    "Idempotency-Key": numbers.at(f"{feed.name} number of the delivery"),
                    "Content-Type": "application/x-ndjson",
                },
                content="".join(f"{line}\n" for line in records(feed, numbers)),
            )
            assert pushed.status_code == 201, pushed.text
            assert pushed.json()["rejected"] > 0
            receipted += 1
    return receipted


async def ask_oddly(client: httpx.AsyncClient, folder: Path, numbers: Numbers) -> None:
    """Requests with a person in path, query, headers, method and body; none may end well."""
    auditor, tax = bearer(folder, "auditor"), bearer(folder, "tax")
    here = "/tax-feed/v1/feeds/receipts/deliveries"
    odd: list[tuple[str, str, dict[str, str], Any]] = [
        ("GET", f"/tax-feed/v1/deliveries/{numbers.at('path')}", auditor, None),
        ("GET", f"/{numbers.at('first segment')}", auditor, None),
        ("GET", f"/reporting/v1/figures/{numbers.at('figure')}", auditor, None),
        ("GET", f"/reporting/v1/figures/{numbers.at('wide').translate(WIDE)}", auditor, None),
        ("GET", f"/enrollment/v1/leads?cursor={numbers.at('cursor')}", auditor, None),
        ("GET", f"/enrollment/v1/leads?limit={numbers.at('limit')}", auditor, None),
        ("GET", f"/enrollment/v1/leads?{numbers.at('query name')}=1", auditor, None),
        (numbers.at("method"), "/enrollment/v1/leads", auditor, None),
        ("GET", "/reporting/v1/trust", {"Authorization": f"Bearer {numbers.at('token')}"}, None),
        ("POST", f"{here}?period={numbers.at('period')}", tax, "{}"),
        ("POST", f"{here}?period=2008-06-D1", {**tax, "Idempotency-Key": "k1"}, b"\xff\xfe"),
    ]
    for name in ("Content-Type", "Content-Encoding", "Content-Digest", "Prefer"):
        given = {**tax, "Idempotency-Key": f"k-{name}", name: f"a/{numbers.at(f'header {name}')}"}
        odd.append(("POST", f"{here}?period=2008-06-D1", given, "{}"))
    for method, path, headers, body in odd:
        told = {
            "User-Agent": numbers.at(f"{method} {path[:20]} user agent"),
            "Accept-Language": numbers.at(f"{method} {path[:20]} language"),
            "X-Request-Id": numbers.at(f"{method} {path[:20]} request id"),
            "tracestate": f"city={numbers.at(f'{method} {path[:20]} trace state')}",
            "baggage": f"id={numbers.at(f'{method} {path[:20]} baggage')}",
            "traceparent": f"00-aaaaaaa{traceable(numbers)}bbbbbbb-b7ad6b7169203331-01",
        }
        answer = await client.request(method, path, headers=headers | told, content=body)
        assert answer.headers["Trace-Id"].isalnum()


def traceable(numbers: Numbers) -> str:
    """A number that can stand in a trace id: without an X."""
    while (number := numbers.at("trace id")).endswith("X"):
        del numbers.places[number]
    return number


async def test_no_identity_number_comes_out(
    postgres: PostgresForTests,
    tmp_path: Path,
    clock: FixedClock,
    collector: Collector,
    logged: StringIO,
) -> None:
    numbers, shown = Numbers(), {}
    given = {"otlp_endpoint": collector.endpoint, "dead_letter_limit": 0}
    async with four_services(postgres, tmp_path, clock, **given) as client:
        operator = bearer(tmp_path, "operator")
        receipted = await push_everything(client, tmp_path, numbers)
        await ask_oddly(client, tmp_path, numbers)
        listens = {s.name: tuple(x.producer for x in s.subscriptions) for s in all_services()}

        async def applied() -> bool:
            statuses = {
                name: (await client.get(f"/{name}/v1/status", headers=operator)).json()
                for name in listens
            }
            flow = flow_from(statuses, listens)
            assert flow.broken == ()
            shown["statuses"] = json.dumps(statuses, ensure_ascii=False)
            return flow.waiting == () and flow.published > 0

        await until(applied)
        for name in listens:
            shown[f"metrics of {name}"] = (await client.get(f"/{name}/metrics")).text
    shown["log"] = logged.getvalue()
    shown["spans"] = b"\n".join(collector.bodies).decode("utf-8", "replace")

    assert receipted == sum(len(service.feeds) for service in all_services())
    assert len(numbers.places) > 200
    found = {
        f"{numbers.places[number]} in {where}"
        for where, text in shown.items()
        for number in numbers.places
        if number in text or number.translate(WIDE) in text or number.lower() in text
    }
    assert found == set()
    # It was looked for where it would have been.
    (path,) = (number for number, place in numbers.places.items() if place == "path")
    assert f"/tax-feed/v1/deliveries/{mask_identity(path)}" in shown["log"]
    assert {span.service for span in collector.spans} == set(listens)
    assert 'method="other"' in shown["metrics of enrollment"]
