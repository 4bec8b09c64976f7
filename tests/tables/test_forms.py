"""Every feed there is, pushed as NDJSON, JSON, CSV and XLSX: the same records, the same counts."""

from __future__ import annotations

import gzip
import json
from datetime import date
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from kuomian.services import all_services
from shared.clock import FixedClock
from shared.deliveries.feed import Feed
from shared.deliveries.shape import decode_records
from shared.deliveries.tables.fields import chinese_names, field_specs
from shared.deliveries.tables.template import csv_template, xlsx_template
from shared.plan import Plan
from shared.service import Service
from tests.conftest import PostgresForTests
from tests.registration_feed.door import Door, migrated_template, opened
from tests.tables.made import XLSX, Rows, csv_of, read, rows_of, spec_of, xlsx_of

PLAN = Plan.default()
RECEIVING = [service for service in all_services() if service.feeds]
FEEDS = [feed for service in RECEIVING for feed in service.feeds]
PERIODS = {"month": "2008-05", "dekad": "2008-06-D1", "day": "2008-06-05"}


def variants(feed: Feed) -> list[dict[str, Any]]:
    """The example, and once more with nothing but what is required."""
    needed = {one.name for one in field_specs(feed, PLAN) if one.required}
    example = msgspec.to_builtins(dict(feed.example))
    return [example, {name: value for name, value in example.items() if name in needed}]


def decoded(feed: Feed, lines: bytes) -> list[Any]:
    return decode_records(feed.record, lines.splitlines(), 65536)


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.name)
def test_a_table_gives_the_records_that_json_gives(feed: Feed) -> None:
    records = variants(feed)
    expected = decoded(feed, b"\n".join(msgspec.json.encode(one) for one in records))
    assert all(isinstance(one, feed.record) for one in expected), "the example decodes"
    rows = rows_of(feed, records, PLAN)
    kind = feed.period_kind
    spec = spec_of(fields=field_specs(feed, PLAN), period=PERIODS[kind], period_kind=kind)
    for form, body in (
        ("csv", csv_of(rows, "gb18030")),
        ("csv", csv_of(rows, "utf-16")),
        ("csv", gzip.compress(csv_of(rows, "utf-8-sig", "\t"))),
        ("xlsx", xlsx_of(rows)),
    ):
        batches, summary = read(body, msgspec.structs.replace(spec, form=form))
        assert decoded(feed, batches[0].lines) == expected
        assert summary["warnings"] == []


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.name)
def test_no_two_fields_of_a_feed_share_a_chinese_name(feed: Feed) -> None:
    names = [one.zh for one in field_specs(feed, PLAN)]
    assert sorted(set(names)) == sorted(names)
    assert all(not name.isascii() for name in names), "every field has a Chinese name"


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.name)
def test_a_template_that_is_filled_in_is_read_and_its_example_is_not(feed: Feed) -> None:
    specs = field_specs(feed, PLAN)
    spec = spec_of(fields=specs, period=PERIODS[feed.period_kind], period_kind=feed.period_kind)
    example = rows_of(feed, variants(feed), PLAN)[1]
    filled = csv_template(feed, specs) + csv_of([["1", *example]])
    batches, summary = read(filled, spec)
    assert summary["rows"]["records"] == 1
    assert summary["kept_out"] == {"example": 1}
    assert decoded(feed, batches[0].lines) == decoded(feed, msgspec.json.encode(variants(feed)[0]))
    for lang in ("zh", "en"):
        workbook = xlsx_template(feed, specs, lang)
        batches, summary = read(workbook, msgspec.structs.replace(spec, form="xlsx"))
        assert batches == []
        assert summary["kept_out"] == {"example": 1}
        assert summary["sheet"] == "填报"


def senders(feed: Feed) -> list[tuple[str, list[str] | None]]:
    """Who may push it; what a record must say may depend on who does."""
    offices: list[tuple[str, list[str] | None]] = [
        (one, None) for one in sorted(feed.departments - {"unit"})
    ]
    return [*offices, *([("unit", ["210502"])] if "unit" in feed.departments else [])]


def periods(feed: Feed) -> list[str]:
    """Of which the example may be."""
    usual = PERIODS[feed.period_kind]
    return [usual, "2008-06"] if feed.period_kind == "month" else [usual]


async def tried(
    door: Door,
    feed: Feed,
    period: str,
    department: str,
    units: list[str] | None,
    kind: str,
    body: bytes,
) -> dict[str, Any]:
    """The receipt of a dry run; the body is kept as it was sent."""
    token = door.token(department, units)
    answer = await door.http.post(
        f"/feeds/{feed.name}/deliveries",
        content=body,
        params={"period": period, "wait": 0, "dry_run": True},
        headers={**token, "Content-Type": kind, "Idempotency-Key": period + kind[-20:]},
    )
    assert answer.status_code == 202, answer.text
    await door.worker.drain()
    path = f"/deliveries/{answer.json()['delivery']}"
    content = await door.ask(f"{path}/content", department, units)
    assert content.content == body
    receipt: dict[str, Any] = (await door.get(path, department, units))["receipt"]
    return receipt


@pytest.mark.parametrize("service", RECEIVING, ids=lambda service: service.name)
async def test_four_forms_end_with_the_same_counts(
    service: Service, postgres: PostgresForTests, tmp_path: Path, clock: FixedClock
) -> None:
    url = postgres.fresh_database(await migrated_template(postgres, service))
    async with opened(service, url, tmp_path, clock, "tax") as door:
        for feed in service.feeds:
            records = variants(feed)
            rows = rows_of(feed, records, PLAN)
            lines = b"".join(json.dumps(one).encode() + b"\n" for one in records)
            forms = {
                "application/x-ndjson": lines,
                "application/json": json.dumps(records).encode(),
                "text/csv": csv_of(rows, "gb18030"),
                XLSX: xlsx_of(rows),
            }
            for (department, units), period in product(senders(feed), periods(feed)):
                receipts = [
                    await tried(door, feed, period, department, units, kind, body)
                    for kind, body in forms.items()
                ]
                if receipts[0]["applied"] + receipts[0]["held"]:
                    break
            ended = [
                {how: one[how] for how in ("sent", "applied", "duplicate", "rejected", "held")}
                for one in receipts
            ]
            assert ended == [ended[0]] * 4, feed.name
            assert ended[0]["sent"] == 2
            assert ended[0]["applied"] + ended[0]["held"] >= 1, receipts[0]["first_problems"]
            assert [one.get("problems") for one in receipts] == [receipts[0]["problems"]] * 4


Yuan = Annotated[Decimal, msgspec.Meta(description="金额（元） · yuan")]


class Two(msgspec.Struct):
    """Two sums of one type, and one of a name nobody knows."""

    due: Yuan
    paid: Yuan
    other: Yuan


def test_fields_of_one_type_are_told_apart_by_what_is_usual() -> None:
    assert chinese_names(Two) == {"due": "应征", "paid": "实征", "other": "金额"}


def test_percentages_of_the_dekad_form_are_no_money() -> None:
    feed = next(one for one in FEEDS if one.name == "dekad-reports")
    kinds = {one.name: one.kind for one in field_specs(feed, PLAN)}
    rates = {name for name, kind in kinds.items() if kind == "rate"}
    assert rates == {
        "census_rate",
        "done_base_pct",
        "done_stretch_pct",
        "time_pct",
        "pay_rate",
        "fund_pct",
    }
    assert kinds["arrears"] == kinds["fund_target"] == "money"


def test_a_date_cell_is_the_day_it_shows() -> None:
    heading = ["纳税人识别号", "纳税人名称", "税务登记日期"]
    rows: Rows = [heading, ["210504PDY001012", "甲", date(2008, 4, 3)]]
    batches, _ = read(xlsx_of(rows), spec_of("xlsx"))
    assert msgspec.json.decode(batches[0].lines)["registered_on"] == "2008-04-03"
