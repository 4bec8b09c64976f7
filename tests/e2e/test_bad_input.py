"""Whatever a department may send wrongly is answered with a stable code, in zh and en, naming
the place, and leaves nothing behind."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import MAX_BODY_BYTES, Whole

RECEIPTS = "/tax-feed/v1/feeds/receipts/deliveries"
PERIOD = "2008-11-D3"
NDJSON = "application/x-ndjson"
GOOD: dict[str, Any] = {
    "receipt_no": "JK200811-999999",
    "tax_no": "210502PDY00001X",
    "name": "本溪市示例餐饮有限公司",
    "month_for": "2008-11",
    "received_on": "2008-11-28",
    "collecting_unit": "210502",
    "pooled": "10.00",
    "individual": "4.00",
    "payer_count": 1,
}


def line(**changes: Any) -> bytes:
    record = {name: value for name, value in (GOOD | changes).items() if value is not ...}
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


@dataclass(frozen=True)
class Request:
    """A push that must be refused whole."""

    status: int
    code: str
    body: bytes | list[bytes] = field(default_factory=line)
    role: str | None = "tax"
    path: str = RECEIPTS
    period: str | None = PERIOD
    key: str | None = "bad-input"
    content_type: str | None = NDJSON
    headers: dict[str, str] = field(default_factory=dict)
    says: str = ""
    """Must stand in the detail."""
    query: dict[str, str] = field(default_factory=dict)


CUT = line(receipt_no="JK-CUT-1") + line(receipt_no="JK-CUT-2")[:40]

REFUSED = {
    "malformed JSON, with its place": Request(
        400,
        "malformed-json",
        body=b'{"records": [{"receipt_no": "1"}, {"receipt_no": }]}',
        content_type="application/json",
        says="4",
    ),
    "a document cut off": Request(
        400,
        "body-truncated",
        body=b'[{"receipt_no": "1"}, {"recei',
        content_type="application/json",
    ),
    "lines cut off in the last one": Request(400, "body-truncated", body=CUT),
    "nothing in it": Request(400, "body-empty", body=b""),
    "too long": Request(413, "body-too-long", body=[line() * 1000] * (MAX_BODY_BYTES // 200_000)),
    "not a type we read": Request(
        415, "content-type-unsupported", content_type="text/html", body=b"<p>"
    ),
    "no type at all": Request(415, "content-type-unsupported", content_type=None),
    "a period of the wrong kind": Request(422, "period-invalid", period="2008-11"),
    "a period that does not exist": Request(422, "period-invalid", period="2008-13-D1"),
    "no period": Request(422, "period-invalid", period=None),
    "a period not begun": Request(422, "period-invalid", period="2009-06-D1"),
    "no Idempotency-Key": Request(400, "idempotency-key-missing", key=None),
    "an unknown feed": Request(
        404, "feed-unknown", path="/tax-feed/v1/feeds/receits/deliveries", says="receipts"
    ),
    "an unknown address": Request(404, "not-found", path="/tax-feed/v1/nothing"),
    "another department's feed": Request(
        403, "forbidden-feed", role="industry-commerce", says="industry-commerce"
    ),
    "no token": Request(401, "unauthenticated", role=None),
    "a token that is none": Request(
        401, "unauthenticated", role=None, headers={"Authorization": "Bearer abc.def.ghi"}
    ),
    "another digest than stated": Request(
        400,
        "digest-mismatch",
        headers={"Content-Digest": "sha-256=:" + "A" * 43 + "=:"},
    ),
}


async def sent(whole: Whole, request: Request, language: str = "zh") -> httpx.Response:
    headers = {"Accept-Language": language, **request.headers}
    if request.role:
        headers["Authorization"] = f"Bearer {whole.tokens[request.role]}"
    if request.key is not None:
        headers["Idempotency-Key"] = request.key
    if request.content_type is not None:
        headers["Content-Type"] = request.content_type
    query = {"period": request.period} if request.period else {}
    query |= request.query

    async def pieces() -> AsyncIterator[bytes]:
        for piece in request.body:
            yield piece  # type: ignore[misc]

    content = request.body if isinstance(request.body, bytes) else pieces()
    async with httpx.AsyncClient(base_url=whole.url, trust_env=False, timeout=60) as client:
        return await client.post(request.path, params=query, headers=headers, content=content)


async def count(whole: Whole) -> int:
    """Deliveries of the feed there are."""
    path = "/tax-feed/v1/deliveries"
    return len([d async for d in whole.api.items(path, feed="receipts", limit=1000)])


class TestARefusal:
    @pytest.mark.parametrize("name", list(REFUSED))
    async def test_names_its_code_in_two_languages(self, whole: Whole, name: str) -> None:
        request = REFUSED[name]
        before = await count(whole)
        answers = {language: await sent(whole, request, language) for language in ("zh", "en")}
        for language, answer in answers.items():
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (request.status, request.code), problem
            assert answer.headers["content-type"].startswith("application/problem+json")
            assert problem["status"] == request.status
            assert problem["type"].endswith(f"/problems/{request.code}")
            assert problem["title"] == problem[f"title_{language}"]
            assert problem["title_zh"] != problem["title_en"]
            assert request.says in problem["detail"]
        assert answers["zh"].json()["detail"] != answers["en"].json()["detail"]
        assert await count(whole) == before

    async def test_has_a_page_that_explains_it(self, whole: Whole) -> None:
        problem = (await sent(whole, REFUSED["no Idempotency-Key"])).json()
        async with httpx.AsyncClient(trust_env=False) as client:
            page = await client.get(problem["type"])
        assert page.status_code == 200
        assert problem["title_zh"] in page.text

    async def test_of_a_reused_key_says_what_differs(self, whole: Whole) -> None:
        first = next(p for p in whole.city.deliveries if p.feed == "receipts" and p.records)
        body = b"".join(first.body()) + line()
        request = Request(422, "idempotency-key-reused", body, period=first.period, key=first.key)
        answer = await sent(whole, request)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, "idempotency-key-reused")
        assert problem["difference"]["first_differing_record"] == first.records + 1
        assert problem["difference"]["records"] == {
            "first": first.records,
            "now": first.records + 1,
        }


BAD_RECORDS: dict[str, tuple[bytes, str, str, str]] = {
    "a line that is no JSON": (b'{"receipt_no": \n', "json-invalid", "", ""),
    "broken UTF-8": (
        line().replace("示例".encode(), b"\xff\xfe"),
        "utf8-invalid",
        "",
        "",
    ),
    "text for a number": (line(payer_count="7"), "type-wrong", "/payer_count", ""),
    "a number for text": (line(name=7), "type-wrong", "/name", ""),
    "an unknown field": (line(colour="red"), "field-unknown", "/colour", "colour"),
    "a field left out": (line(pooled=...), "field-missing", "/pooled", "pooled"),
    "three decimals": (line(pooled="10.001"), "money-invalid", "/pooled", ""),
    "an unknown unit": (line(collecting_unit="210599"), "unit-unknown", "", "210599"),
    "a wrong check digit": (line(tax_no="210502PDY000011"), "check-digit-wrong", "/tax_no", "X"),
    "money of a later dekad": (
        line(received_on="2008-12-02", month_for="2008-12"),
        "period-mismatch",
        "/received_on",
        "2008-12-02",
    ),
    "a record too long": (line(name="长" * 30_000), "record-too-long", "", ""),
}


class TestABadRecord:
    @pytest.mark.parametrize("name", list(BAD_RECORDS))
    async def test_is_rejected_alone_with_place_and_words(self, whole: Whole, name: str) -> None:
        bad, code, pointer, says = BAD_RECORDS[name]
        request = Request(201, "", line() + bad, key=f"bad-{len(bad)}-{code}")
        receipt = await dry_run(whole, request)
        assert (receipt["sent"], receipt["applied"], receipt["rejected"]) == (2, 1, 1), receipt
        assert receipt["dry_run"]
        [problem] = receipt["first_problems"][:1]
        assert (problem["no"], problem["code"]) == (2, code), problem
        assert problem["pointer"].startswith(pointer)
        assert says in problem["zh"]
        assert says in problem["en"]
        assert problem["zh"] != problem["en"]

    async def test_does_not_take_the_rest_with_it(self, whole: Whole) -> None:
        body = b"".join(bad for bad, *_ in BAD_RECORDS.values()) + line()
        receipt = await dry_run(whole, Request(201, "", body, key="bad-all"))
        assert (receipt["sent"], receipt["applied"]) == (len(BAD_RECORDS) + 1, 1)
        assert receipt["rejected"] == len(BAD_RECORDS)

    async def test_of_another_unit_is_rejected(self, whole: Whole) -> None:
        record = {
            "application_no": "SQ-FOREIGN-1",
            "action": "enrol",
            "applied_on": "2008-11-28",
            "effective_on": "2008-11-28",
            "identity_no": "210503198001019805",
            "name": "示例",
            "unit": "210503",
            "worker_class": "flexible",
        }
        request = Request(
            201,
            "",
            json.dumps(record).encode() + b"\n",
            role="unit-210502",
            path="/enrollment/v1/feeds/person-applications/deliveries",
            key="foreign",
        )
        receipt = await dry_run(whole, request)
        assert "unit-not-yours" in receipt["problems"], receipt


async def dry_run(whole: Whole, request: Request) -> dict[str, Any]:
    answer = await sent(whole, replace(request, query={"dry_run": "true", "wait": "30"}))
    assert answer.status_code == 201, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt
