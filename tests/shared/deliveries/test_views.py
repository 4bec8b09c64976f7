"""Looking at feeds, deliveries, records and content: what is shown, and to whom."""

from typing import Any

import jsonschema
import pytest

from shared.events.deliveries import DeliveryReceived
from tests.shared.deliveries.conftest import Door
from tests.shared.deliveries.made_service import SERVICE, licence, lines

OWNER = "210502196801010017"


class TestFeeds:
    async def test_list_says_what_the_caller_may_send(self, door: Door) -> None:
        items = (await door.get("/feeds", department="unit", units=["210502"])).json()["items"]
        assert [(item["feed"], item["may_send"]) for item in items] == [
            ("business-licences", True),
            ("shops", False),
        ]

    async def test_one_has_all_its_senders_need(self, door: Door) -> None:
        feed = (await door.get("/feeds/business-licences")).json()
        jsonschema.validate(feed["example"], feed["schema"])
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**feed["example"], "more": 1}, feed["schema"])
        columns = {column["name"]: column for column in feed["columns"]}
        assert columns["licence_no"]["required"]
        assert columns["licence_no"]["description"] == "注册号 · licence number"
        assert columns["owner_id"]["personal"]
        assert feed["due"]["rule"] == "day-of-next-month"
        assert feed["due"]["latest"]["period"] == "2008-06"
        assert feed["obligation_text"]["id"] == "O51"

    async def test_a_feed_the_plan_does_not_know_has_no_due_rule(self, door: Door) -> None:
        assert (await door.get("/feeds/shops")).json()["due"] is None

    async def test_an_unknown_one(self, door: Door) -> None:
        assert (await door.get("/feeds/nothing")).json()["code"] == "feed-unknown"

    async def test_examples_would_be_applied(self, door: Door) -> None:
        for feed in SERVICE.feeds:
            period = "2008-06" if feed.period_kind == "month" else "2008-06-D1"
            delivery = await door.push(lines(feed.example), feed.name, period=period)
            assert delivery["receipt"]["applied"] == 1


class TestWhoSees:
    @pytest.fixture
    async def sent(self, door: Door) -> dict[str, str]:
        body = lines(licence(1))
        city = await door.push(body)
        unit = (await door.post(body, department="unit", units=["210502"])).json()
        return {"city": city["delivery"], "unit": unit["delivery"]}

    @pytest.mark.parametrize(
        ("department", "units", "seen"),
        [
            ("industry-commerce", None, {"city"}),
            ("industry-commerce", ["210502"], set()),
            ("unit", ["210502"], {"unit"}),
            ("unit", ["210503"], set()),
            ("unit", ["210502", "210503"], {"unit"}),
            ("agency", None, {"city", "unit"}),
            ("agency", ["210502"], set()),
            ("auditor", None, {"city", "unit"}),
            ("operator", None, {"city", "unit"}),
            ("tax", None, set()),
        ],
    )
    async def test_list_and_single_say_the_same(
        self, door: Door, sent: dict[str, str], department: str, units: Any, seen: set[str]
    ) -> None:
        listed = (await door.get("/deliveries", department, units)).json()["items"]
        assert {item["delivery"] for item in listed} == {sent[name] for name in seen}
        for name, delivery_id in sent.items():
            for path in ("", "/records", "/records/1"):
                answer = await door.get(f"/deliveries/{delivery_id}{path}", department, units)
                assert answer.status_code == (200 if name in seen else 404)

    async def test_operators_read_no_content(self, door: Door, sent: dict[str, str]) -> None:
        path = f"/deliveries/{sent['city']}/content"
        assert (await door.get(path, "operator")).status_code == 403
        assert (await door.get(path, "auditor")).status_code == 200
        assert (await door.get(path, "tax")).status_code == 404

    async def test_without_a_token_nothing(self, door: Door, sent: dict[str, str]) -> None:
        for path in ("/feeds", "/deliveries", f"/deliveries/{sent['city']}/content"):
            assert (await door.http.get(path)).status_code == 401


class TestList:
    async def test_filters_and_pages(self, door: Door) -> None:
        for no in range(5):
            await door.push(lines(licence(no)))
        await door.push(lines({"shop_no": "a"}), "shops", period="2008-06-D1")
        await door.post(lines(licence(9)), period="2008-05")
        first = await door.get("/deliveries", feed="business-licences", period="2008-06", limit=3)
        assert len(first.json()["items"]) == 3
        assert 'rel="next"' in first.headers["Link"]
        rest = await door.http.get(
            "http://test" + first.json()["next"], headers=door.token("industry-commerce")
        )
        assert len(rest.json()["items"]) == 2
        assert rest.json()["next"] is None
        waiting = (await door.get("/deliveries", status="accepted")).json()["items"]
        assert [item["period"] for item in waiting] == ["2008-05"]


class TestRecords:
    @pytest.fixture
    async def path(self, door: Door) -> str:
        records: list[Any] = [licence(no, owner_id=OWNER) for no in range(1, 31)]
        records[11] = licence(12, licence="x" + OWNER)
        records[24] = b'{"licence_no": "25", "owner_id": "' + OWNER.encode()
        delivery = await door.push(lines(*records))
        return f"/deliveries/{delivery['delivery']}/records"

    async def test_by_disposition(self, door: Door, path: str) -> None:
        items = (await door.get(path, disposition="rejected")).json()["items"]
        assert [(item["no"], item["problems"][0]["code"]) for item in items] == [
            (12, "field-unknown"),
            (25, "json-invalid"),
        ]

    async def test_page_by_page(self, door: Door, path: str) -> None:
        numbers: list[int] = []
        answer = await door.get(path, disposition="applied", limit=11)
        while True:
            numbers += [item["no"] for item in answer.json()["items"]]
            if answer.json()["next"] is None:
                break
            answer = await door.http.get(
                "http://test" + answer.json()["next"], headers=door.token()
            )
        assert numbers == [no for no in range(1, 31) if no not in (12, 25)]

    async def test_content_is_masked_however_it_came(self, door: Door, path: str) -> None:
        one = (await door.get(f"{path}/1")).json()
        assert one["content"]["licence_no"] == "1"
        assert one["content"]["owner_id"] == "210502**********17"
        for no in (1, 12, 25):
            answer = await door.get(f"{path}/{no}")
            assert answer.status_code == 200
            assert OWNER not in answer.text
        assert OWNER not in (await door.get(path)).text

    async def test_what_stands_in_the_wrong_field_is_masked_too(self, door: Door) -> None:
        wrong: list[dict[str, Any]] = [
            {"name": OWNER},
            {"licence_no": OWNER + "00"},
            {OWNER: 1},
            {"licensed_on": [f"born as {OWNER}"]},
            {"name": {OWNER: OWNER}},
        ]
        delivery = await door.push(lines(*({**licence(9), **fields} for fields in wrong)))
        path = f"/deliveries/{delivery['delivery']}"
        for tail in ("", "/records", *(f"/records/{no}" for no in range(1, len(wrong) + 1))):
            assert OWNER not in (await door.get(path + tail)).text
        (fact,) = await door.facts(DeliveryReceived)
        assert OWNER not in str(fact)

    async def test_one_that_is_not_there(self, door: Door, path: str) -> None:
        assert (await door.get(f"{path}/31")).status_code == 404
        assert (await door.get(f"{path}/0")).status_code == 422

    async def test_one_not_judged_yet(self, door: Door) -> None:
        delivery = (await door.post(lines(licence(1)))).json()["delivery"]
        answer = (await door.get(f"/deliveries/{delivery}/records/1")).json()
        assert (answer["disposition"], answer["versions"]) == (None, [])
        assert (await door.get(f"/deliveries/{delivery}/records")).json()["items"] == []


class TestContent:
    async def test_is_what_was_sent_to_the_byte(self, door: Door) -> None:
        body = b"\xef\xbb\xbf" + lines(
            *(licence(no) for no in range(25)), b"\xff\xfe", b"", b"  ", b'{"a": 1}\r'
        )
        delivery = await door.push(body)
        assert delivery["receipt"]["sent"] == 27
        answer = await door.get(f"/deliveries/{delivery['delivery']}/content")
        assert answer.content == body
        assert answer.headers["Content-Type"] == "application/x-ndjson"
        assert "no-store" in answer.headers["Cache-Control"]


async def test_a_parameter_nobody_knows_is_refused_wherever_it_is_asked(door: Door) -> None:
    for path, name in (
        ("/deliveries", "unit"),
        ("/feeds", "limit"),
        ("/conservation", "periods"),
        ("/held-records", "feeds"),
        ("/status", "x"),
    ):
        answer = await door.get(path, department="operator", **{name: "1"})
        assert (answer.status_code, answer.json()["code"]) == (422, "parameter-invalid"), path
        (error,) = answer.json()["errors"]
        assert (error["pointer"], error["code"]) == (f"query/{name}", "field-unknown")
    assert (await door.get("/deliveries", limit=5, feed="shops")).status_code == 200
