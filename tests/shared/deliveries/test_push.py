"""Pushing a delivery: what is taken, what is refused, what a number stands for."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.clock import FixedClock
from shared.events.deliveries import DeliveryReceived
from shared.events.registration_feed import EnterpriseRegistered
from tests.shared.deliveries.conftest import Door
from tests.shared.deliveries.made_service import licence, lines


class TestReceipt:
    async def test_counts_add_up_and_facts_follow(self, door: Door) -> None:
        body = lines(
            licence(1),
            licence(2, capital="12.50"),
            licence(1),
            {"licence_no": "x", "name": "", "licensed_on": "2008-06-31", "shop": 1},
            licence(3, shop_no="s1"),
            licence(4, licensed_on="2008-06-11"),
        )
        delivery = await door.push(body)
        receipt = delivery["receipt"]
        assert delivery["status"] == "done"
        assert (receipt["sent"], receipt["applied"], receipt["duplicate"]) == (6, 2, 1)
        assert (receipt["rejected"], receipt["held"]) == (2, 1)
        assert receipt["body"]["sha256"] == hashlib.sha256(body).hexdigest()
        assert receipt["problems"] == {
            "date-in-future": 1,
            "date-invalid": 1,
            "field-unknown": 1,
            "length": 1,
            "pattern-mismatch": 1,
            "shop-unknown": 1,
        }
        fourth = [one["pointer"] for one in receipt["first_problems"] if one["no"] == 4]
        assert sorted(fourth) == ["/licence_no", "/licensed_on", "/name", "/shop"]
        held = next(one for one in receipt["first_problems"] if one["no"] == 5)
        assert (held["zh"], held["en"]) == ("门店 s1 尚未登记", "shop s1 is not known yet")
        assert [f.subject for f in await door.facts(EnterpriseRegistered)] == [
            "licence:1",
            "licence:2",
        ]
        (fact,) = await door.facts(DeliveryReceived)
        assert isinstance(fact, DeliveryReceived)
        assert (fact.sent_count, fact.held_count, fact.period) == (6, 1, "2008-06")

    async def test_its_digest_is_over_the_rest_of_it(self, door: Door) -> None:
        receipt = (await door.push(lines(licence(1))))["receipt"]
        stated = receipt.pop("receipt_sha256")
        del receipt["signature"]
        text = json.dumps(receipt, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert hashlib.sha256(text.encode()).hexdigest() == stated

    async def test_bodies_at_rest_are_sealed(self, door: Door) -> None:
        await door.push(lines(licence(1, owner_id="210502196801010017")))
        (segment,) = await door.rows("delivery_segments")
        assert b"210502196801010017" not in bytes(segment["body"])

    async def test_nothing_shows_before_the_worker_comes(self, door: Door) -> None:
        answer = await door.post(lines(licence(1)))
        assert answer.status_code == 202
        assert answer.headers["Location"].endswith(answer.json()["delivery"])
        assert answer.json()["records_done"] == 0
        assert await door.rows("licences") == []


class TestJsonDocuments:
    @pytest.mark.parametrize("wrap", ["array", "object"])
    async def test_are_cut_into_chunks_and_given_back_to_the_byte(
        self, door: Door, wrap: str
    ) -> None:
        records: list[Any] = [licence(no) for no in range(1, 26)]
        content: Any = records if wrap == "array" else {"records": records}
        body = b"\xef\xbb\xbf" + json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n"
        headers = {"Content-Type": "application/json; charset=utf-8"}
        delivery = await door.push(body, headers=headers)
        assert delivery["receipt"]["applied"] == 25
        assert len(await door.rows("delivery_segments", "no")) == 3
        answer = await door.get(f"/deliveries/{delivery['delivery']}/content")
        assert answer.content == body
        assert answer.headers["Content-Type"] == headers["Content-Type"]

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (b'[{"licence_no": "1"}, {"lic', "body-truncated"),
            (b'[{"licence_no": "1"} {}]', "malformed-json"),
            (b'{"rows": []}', "malformed-json"),
            (b"[]", "body-empty"),
            (b'"text"', "malformed-json"),
            (b"[" * 100_000, "malformed-json"),
        ],
    )
    async def test_bad_framing_refuses_the_whole(self, door: Door, body: bytes, code: str) -> None:
        answer = await door.post(body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert await door.rows("deliveries") == []


class TestRefusals:
    @pytest.mark.parametrize(
        ("more", "status", "code"),
        [
            ({"key": None}, 400, "idempotency-key-missing"),
            ({"key": "x" * 201}, 400, "idempotency-key-invalid"),
            ({"period": "2008-06-D1"}, 422, "period-invalid"),
            ({"period": ""}, 422, "period-invalid"),
            ({"period": "2008-07"}, 422, "period-invalid"),
            ({"feed": "nothing"}, 404, "feed-unknown"),
            ({"department": "tax"}, 403, "forbidden-feed"),
            ({"headers": {"Content-Type": "text/plain"}}, 415, "content-type-unsupported"),
            ({"headers": {"Content-Encoding": "br"}}, 415, "content-encoding-unsupported"),
            ({"headers": {"Content-Digest": "sha-256=:AAAA:"}}, 400, "digest-mismatch"),
        ],
    )
    async def test_keep_nothing(
        self, door: Door, more: dict[str, Any], status: int, code: str
    ) -> None:
        answer = await door.post(lines(licence(1)), **more)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert await door.rows("deliveries") == []
        assert await door.rows("delivery_segments") == []

    async def test_a_period_of_the_wrong_kind_is_told_the_right_form(self, door: Door) -> None:
        answer = await door.post(lines(licence(1)), period="2008-06-D1")
        assert "2008-06" in answer.json()["detail"]

    async def test_an_early_delivery_waits_for_its_period_only(
        self, door: Door, clock: FixedClock
    ) -> None:
        assert (await door.post(lines(licence(1)), period="2008-07")).status_code == 422
        clock.set(datetime(2008, 6, 30, 16, 0, tzinfo=UTC))
        assert (await door.post(lines(licence(1)), period="2008-07")).status_code == 202

    async def test_a_last_line_cut_off_refuses_the_whole(self, door: Door) -> None:
        body = lines(licence(1), licence(2))[:-9]
        answer = await door.post(body)
        assert (answer.status_code, answer.json()["code"]) == (400, "body-truncated")
        assert await door.rows("deliveries") == []

    async def test_a_last_line_without_newline_is_whole_when_it_reads(self, door: Door) -> None:
        delivery = await door.push(lines(licence(1), licence(2))[:-1])
        assert delivery["receipt"]["applied"] == 2

    async def test_fewer_bytes_than_announced(self, door: Door) -> None:
        body = lines(licence(1))

        async def stream() -> Any:
            yield body

        answer = await door.post(stream(), headers={"Content-Length": str(len(body) + 1)})
        assert (answer.status_code, answer.json()["code"]) == (400, "body-truncated")

    async def test_too_long_a_body(self, door: Door) -> None:
        answer = await door.post(lines(*(licence(no) for no in range(20_000))))
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-long")

    async def test_too_long_a_document(self, door: Door) -> None:
        body = json.dumps([licence(no) for no in range(4_000)]).encode()
        answer = await door.post(body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-long")

    async def test_a_stated_digest_that_is_right(self, door: Door) -> None:
        body = lines(licence(1))
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        answer = await door.post(body, headers={"Content-Digest": f"sha-256=:{digest}:"})
        assert answer.status_code == 202


class TestNil:
    async def test_nothing_this_period_is_a_delivery(self, door: Door) -> None:
        delivery = await door.push(b"", nil=True)
        assert delivery["receipt"]["nil"] is True
        assert delivery["receipt"]["sent"] == 0
        (fact,) = await door.facts(DeliveryReceived)
        assert isinstance(fact, DeliveryReceived)
        assert fact.nil

    async def test_an_empty_document_says_so_too(self, door: Door) -> None:
        json = {"Content-Type": "application/json"}
        for body in (b"[]", b'{"records": []}\n'):
            delivery = await door.push(body, nil=True, headers=json)
            assert (delivery["receipt"]["nil"], delivery["receipt"]["sent"]) == (True, 0)

    async def test_silence_is_not(self, door: Door) -> None:
        for body in (b"", b"\n \n"):
            answer = await door.post(body)
            assert (answer.status_code, answer.json()["code"]) == (400, "body-empty")

    async def test_and_records_contradict_each_other(self, door: Door) -> None:
        assert (await door.post(lines(licence(1)), nil=True)).status_code == 409


class TestSameNumber:
    async def test_same_body_gives_the_same_receipt_and_no_second_effect(self, door: Door) -> None:
        body = lines(licence(1))
        await door.push(body, key="k1")
        first = await door.post(body, key="k1")
        second = await door.post(body, key="k1")
        assert (first.status_code, first.headers["Idempotent-Replayed"]) == (201, "true")
        assert first.content == second.content
        assert len(await door.facts()) == 2
        assert len(await door.rows("delivery_segments")) == 1

    async def test_while_the_first_runs(self, door: Door) -> None:
        body = lines(licence(1))
        first = await door.post(body, key="k1")
        again = await door.post(body, key="k1")
        assert (again.status_code, again.json()["code"]) == (409, "delivery-running")
        assert again.headers["Location"] == first.headers["Location"]

    async def test_other_content_is_told_the_difference(self, door: Door) -> None:
        records = [licence(no) for no in range(1, 31)]
        await door.push(lines(*records), key="k1")
        records[16] = licence(17, capital="1")
        answer = await door.post(lines(*records), key="k1")
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")
        difference = answer.json()["difference"]
        assert difference["first_differing_record"] == 17
        assert difference["size"]["now"] > difference["size"]["first"]

    async def test_other_period_is_other_content(self, door: Door) -> None:
        await door.push(lines(licence(1)), key="k1")
        answer = await door.post(lines(licence(1)), key="k1", period="2008-05")
        assert answer.json()["difference"] == {"period": {"first": "2008-06", "now": "2008-05"}}

    async def test_more_and_fewer_records(self, door: Door) -> None:
        await door.push(lines(licence(1), licence(2)), key="k1")
        for body, first in ((lines(licence(1)), 2), (lines(*map(licence, (1, 2, 3))), 3)):
            answer = await door.post(body, key="k1")
            assert answer.json()["difference"]["first_differing_record"] == first

    async def test_a_misspelt_dry_run_does_not_push_in_earnest(self, door: Door) -> None:
        answer = await door.post(lines(licence(1)), dryrun="true")
        assert (answer.status_code, answer.json()["code"]) == (422, "parameter-invalid")
        assert answer.json()["errors"][0]["pointer"] == "query/dryrun"

    async def test_dry_runs_feeds_and_units_have_numbers_of_their_own(self, door: Door) -> None:
        await door.push(lines(licence(1)), key="k1", dry_run=True)
        await door.push(lines(licence(2)), key="k1")
        await door.push(lines({"shop_no": "a"}), "shops", key="k1", period="2008-06-D1")
        for unit in ("210502", "210503"):
            answer = await door.post(lines(licence(3)), key="k1", department="unit", units=[unit])
            assert answer.status_code == 202
        assert len(await door.rows("deliveries")) == 5


class TestDryRun:
    async def test_tells_all_and_changes_nothing(self, door: Door) -> None:
        await door.push(lines(licence(1)))
        before = len(await door.facts())
        body = lines(*(licence(no) for no in range(1, 25)), b"{", licence(30, shop_no="s"))
        delivery = await door.push(body, dry_run=True)
        receipt = delivery["receipt"]
        assert (receipt["dry_run"], receipt["void"]) == (True, True)
        assert (receipt["applied"], receipt["duplicate"]) == (23, 1)
        assert (receipt["rejected"], receipt["held"]) == (1, 1)
        assert len(await door.rows("licences")) == 1
        assert await door.rows("held_records") == []
        assert await door.rows("superseded_versions") == []
        assert len(await door.facts()) == before
        listed = await door.get(f"/deliveries/{delivery['delivery']}/records", disposition="held")
        assert [item["no"] for item in listed.json()["items"]] == [26]
