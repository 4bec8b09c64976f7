"""Tables through the door: the preview, what is kept, the department's own headings, the copy with
what became of each row."""

from __future__ import annotations

import contextlib
import csv
import gzip
import hashlib
import io
import json
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from shared.deliveries import store
from shared.deliveries.tables.annotated import annotated_table
from shared.deliveries.tables.reading import Table
from shared.reencrypt import sealed_columns
from tax_feed.app import SERVICE as TAX
from tax_feed.feeds import FEEDS
from tests.registration_feed.door import Door
from tests.tables.made import XLSX, Rows, csv_of, spec_of, xlsx_of
from tests.tables.test_process import readers
from tests.tax_feed.records import arrears, tax_no

HEADING = [
    "纳税人识别号",
    "纳税人名称",
    "登记注册类型",
    "行业",
    "计税工资人数",
    "参保人数",
    "应征",
    "实征",
    "欠费",
]
GOOD = [
    tax_no(1),
    "本溪示例餐饮有限公司",
    "私营有限责任公司",
    "67",
    "1,020",
    "300",
    "12.5",
    "10",
    "2.5",
]
BAD = [tax_no(2), '=HYPERLINK("x")', "173", "52", "约30", "20", "1.2万", "6", "—"]
TABLE: Rows = [
    ["明山区地方税务局2008年5月同征同查表", *[""] * 7, "单位：万元"],
    HEADING,
    GOOD,
    BAD,
    ["合计", "", "", "", "1050", "320", "13.8", "16", "2.5"],
]


async def push(
    door: Door,
    body: bytes,
    kind: str = "text/csv",
    *,
    key: str = "a",
    feed: str = "employer-checks",
    headers: dict[str, str] | None = None,
    **query: Any,
) -> httpx.Response:
    return await door.http.post(
        f"/feeds/{feed}/deliveries",
        content=body,
        params={"period": "2008-05", "wait": 0, **query},
        headers={**door.token(), "Content-Type": kind, "Idempotency-Key": key, **(headers or {})},
    )


async def done(door: Door, answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code in (201, 202), answer.text
    await door.worker.drain()
    found: dict[str, Any] = await door.get(f"/deliveries/{answer.json()['delivery']}")
    assert found["status"] == "done"
    return found


async def test_a_dry_run_shows_how_the_table_was_read(tax: Door) -> None:
    seen = await done(tax, await push(tax, csv_of(TABLE, "gb18030"), dry_run=True))
    reading = seen["reading"]
    assert seen["receipt"]["reading"] == reading
    assert seen["receipt"]["void"] is True
    assert (seen["counts"]["applied"], seen["counts"]["rejected"]) == (1, 1)
    assert reading["encoding"] == "gb18030"
    assert reading["rows"]["records"] == 2
    assert reading["kept_out_rows"] == [{"row": 5, "kind": "total"}]
    assert [one["field"] for one in reading["columns"]][:2] == ["tax_no", "name"]
    assert {one["field"]: one["from"] for one in reading["filled"]} == {
        "period": "title",
        "collecting_unit": "title",
    }
    (warning,) = reading["warnings"]
    assert warning["code"] == "total-differs"
    assert "相差 1000" in warning["zh"], "1.2万 in a column of 万元 is 12000 yuan"
    assert seen["links"]["annotated"].endswith("/annotated")
    details = await tax.get("/feeds/employer-checks")
    known = {one["name"]: one["headings"] for one in details["columns"]}
    assert {"税务登记号", "纳税人识别号"} <= set(known["tax_no"])
    records = await tax.get(f"/deliveries/{seen['delivery']}/records")
    good, bad = records["items"]
    assert (good["row"], bad["row"]) == (3, 4)
    assert {"field", "name", "from", "to", "rule", "zh", "en"} == set(good["repairs"][0])
    assert ("taxable_headcount", "1,020", "1020") in {
        (one["field"], one["from"], one["to"]) for one in good["repairs"]
    }
    assert {one["pointer"]: one["code"] for one in bad["problems"]} == {
        "/taxable_headcount": "number-rough",
        "/arrears": "field-missing",
    }
    one = await tax.get(f"/deliveries/{seen['delivery']}/records/2")
    assert one["content"]["due"] == "12000"
    assert one["row"] == 4


async def test_the_bytes_are_kept_as_they_were_sent(tax: Door) -> None:
    for key, body, headers in (
        ("plain", csv_of(TABLE, "utf-16"), {}),
        ("packed", gzip.compress(csv_of(TABLE)), {"Content-Encoding": "gzip"}),
        ("file", gzip.compress(csv_of(TABLE)), {}),
        ("empty-lines", csv_of(TABLE) + b"\r\n" * 1000, {}),
    ):
        seen = await done(tax, await push(tax, body, key=key, headers=headers))
        path = f"/deliveries/{seen['delivery']}/content"
        async with tax.http.stream("GET", path, headers=tax.token()) as answer:
            raw = b"".join([piece async for piece in answer.aiter_raw()])
        assert raw == body
        assert answer.headers.get("content-encoding") == headers.get("Content-Encoding")
        assert seen["body"]["size"] == len(body)


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/json"])
async def test_packed_records_are_cut_as_what_they_hold(tax: Door, kind: str) -> None:
    records = [arrears(number) for number in range(1, 26)]
    plain = (
        json.dumps(records).encode()
        if kind.endswith("/json")
        else b"".join(json.dumps(one).encode() + b"\n" for one in records)
    )
    body, headers = gzip.compress(plain), {"Content-Encoding": "gzip"}
    seen = await done(tax, await push(tax, body, kind, feed="arrears", headers=headers))
    assert (seen["records_sent"], seen["counts"]["applied"]) == (25, 25)
    assert seen["body"] == {
        "sha256": hashlib.sha256(body).hexdigest(),
        "size": len(body),
        "content_type": kind,
    }
    content = await tax.ask(f"/deliveries/{seen['delivery']}/content")
    assert content.content == plain, "unpacked again by the client, as its encoding says"
    again = await push(tax, body, kind, feed="arrears", headers=headers)
    assert again.headers["Idempotent-Replayed"] == "true"
    cut = await push(tax, body[:-5], kind, feed="arrears", headers=headers, key="cut")
    assert cut.json()["code"] == "body-truncated"
    bad = await push(tax, plain, kind, feed="arrears", headers=headers, key="bad")
    assert bad.json()["code"] == "table-damaged"


async def test_more_records_than_a_chunk(tax: Door) -> None:
    rows = [[tax_no(number), *GOOD[1:]] for number in range(1, 26)]
    seen = await done(tax, await push(tax, csv_of([*TABLE[:2], *rows])))
    assert seen["counts"]["applied"] == 25
    items = (await tax.get(f"/deliveries/{seen['delivery']}/records"))["items"]
    assert [one["row"] for one in items] == list(range(3, 28))
    late = await tax.get(f"/deliveries/{seen['delivery']}/records", disposition="applied", limit=3)
    assert [one["row"] for one in late["items"]] == [3, 4, 5]


async def test_the_same_again_is_the_same_delivery(tax: Door) -> None:
    body = xlsx_of(TABLE)
    first = await done(tax, await push(tax, body, XLSX))
    again = await push(tax, body, XLSX)
    assert again.json()["delivery"] == first["delivery"]
    assert again.headers["Idempotent-Replayed"] == "true"
    sheet = await push(tax, body, XLSX, sheet="表")
    assert sheet.json()["code"] == "idempotency-key-reused"
    assert sheet.json()["difference"] == {"sheet": {"first": None, "now": "表"}}
    changed = await push(tax, xlsx_of([*TABLE[:2], [*GOOD[:4], "7", *GOOD[5:]]]), XLSX)
    assert changed.json()["difference"]["first_differing_record"] == 1
    other = await push(tax, csv_of(TABLE), XLSX)
    assert other.json()["code"] == "table-form-wrong"


async def test_a_department_saves_its_own_headings(tax: Door) -> None:
    heading = ["税号代码", *HEADING[1:]]
    body = csv_of([TABLE[0], heading, GOOD])
    unknown = await done(tax, await push(tax, body))
    assert unknown["counts"]["rejected"] == 1
    assert unknown["problems"] == {"key-missing": 1}
    assert "税号代码" in unknown["reading"]["warnings"][0]["zh"]
    path = "/feeds/employer-checks/mapping"
    assert (await tax.get(path))["headings"] == {}
    saved = await tax.http.put(
        path, json={"headings": {"税号 代码": "tax_no"}}, headers=tax.token()
    )
    assert saved.json()["headings"] == {"税号 代码": "tax_no"}
    assert (await tax.get(path))["saved_by"] == "tester"
    seen = await done(tax, await push(tax, body, key="b"))
    assert seen["reading"]["columns"][0]["field"] == "tax_no"
    for headings in ({"税号": "no_such"}, {"": "tax_no"}, {"税号": "tax_no", "税 号": "name"}):
        answer = await tax.http.put(path, json={"headings": headings}, headers=tax.token())
        assert (answer.status_code, answer.json()["code"]) == (422, "mapping-invalid")
    other = await tax.ask(path, "agency")
    assert other.json()["code"] == "forbidden-feed"
    assert (await tax.http.delete(path, headers=tax.token())).status_code == 204
    assert (await tax.get(path))["headings"] == {}


async def test_the_annotated_copy_says_what_became_of_each_row(tax: Door) -> None:
    seen = await done(tax, await push(tax, csv_of(TABLE, "gb18030")))
    answer = await tax.ask(f"/deliveries/{seen['delivery']}/annotated")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[1] == [*HEADING, "处置", "问题", "修正"]
    assert rows[2][:9] == GOOD
    assert rows[2][9] == "采用"
    assert "1,020 → 1020" in rows[2][11]
    assert rows[3][1] == "'" + BAD[1], "nothing a sender wrote is calculated"
    assert rows[3][9] == "退回"
    assert "约数" in rows[3][10]
    assert rows[4][9] == "合计行，未作记录"
    workbook = await done(tax, await push(tax, xlsx_of(TABLE), XLSX, key="x"))
    answer = await tax.ask(f"/deliveries/{workbook['delivery']}/annotated", lang="en")
    table = Table(
        msgspec.structs.replace(spec_of("xlsx"), rows_only=True, sheet="表"), [answer.content]
    )
    written = [cells for rows in table.plain_rows() for _, cells in rows]
    assert written[1][9:] == ["result", "problems", "repairs"]
    assert written[2][9] == "duplicate"
    assert b"<f>" not in answer.content
    lines = await tax.push("arrears", "2008-05", [arrears(1)])
    none = await tax.ask(f"/deliveries/{lines['delivery']}/annotated")
    assert none.json()["code"] == "not-a-table"
    stranger = await tax.ask(f"/deliveries/{seen['delivery']}/annotated", "industry-commerce")
    assert stranger.json()["code"] == "delivery-unknown"
    operator = await tax.ask(f"/deliveries/{seen['delivery']}/annotated", "operator")
    assert operator.json()["code"] == "forbidden"


async def test_who_fetches_a_copy_slowly_holds_no_reading_process(tax: Door) -> None:
    long = [*TABLE[:3], *[["合计", "", "", "", "1"]] * 2500]
    seen = await done(tax, await push(tax, csv_of(long)))
    async with tax.runtime.database.read() as conn:
        row = await store.find_delivery(conn, UUID(seen["delivery"]))
    assert row is not None
    feed = next(one for one in FEEDS if one.name == row.feed)
    async with contextlib.aclosing(await annotated_table(tax.runtime, feed, row, "zh")) as copy:
        first = [await anext(copy), await anext(copy)]
        assert readers() == []
        rest = [piece async for piece in copy]
    assert b"".join(first + rest).count(b"\n") == len(long)


async def test_personal_values_are_masked_in_repairs_and_sealed_at_rest(register: Door) -> None:
    identity = "210502197001019805"
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in identity)
    rows: Rows = [
        ["身份证号", "姓名", "填报单位", "状态", "人员类别", "参保日期"],
        [wide, "张三", "平山区", "在职缴费", "灵活就业", "1998.7.1"],
        ["2105021970O1019805", "李四四", "平山区", "在职缴费", "灵活就业", "1998.7.1"],
    ]
    seen = await done(register, await push(register, csv_of(rows), feed="insured-persons"))
    assert seen["counts"]["applied"] == 1
    shown = str(await register.get(f"/deliveries/{seen['delivery']}/records"))
    assert identity not in shown
    assert wide not in shown
    assert "2105021970O1019805" not in shown + str(seen)
    stored = await register.rows("SELECT body FROM delivery_originals")
    stored += await register.rows("SELECT body FROM delivery_notes")
    assert len(stored) == 2
    assert all(wide.encode() not in bytes(one["body"]) for one in stored)


async def test_a_table_names_papers_in_words(register: Door) -> None:
    """护照 stands for its code, its columns go by usual names; both rows are the same person."""
    rows: Rows = [
        [
            *("证件类型", "护照号码", "国别", "姓名", "性别", "出生年月日", "填报单位", "状态"),
            *("人员类别", "参保日期"),
        ],
        [
            *("护照", "ｍ00000001", "KOR", "KIM", "女", "1980.3.5", "平山区", "在职缴费"),
            *("外籍人员", "2005.7.1"),
        ],
        [
            *("外国护照", "M00000001", "KOR", "KIM", "女", "1980.3.5", "平山区", "在职缴费"),
            *("外籍人员", "2005.7.1"),
        ],
    ]
    seen = await done(register, await push(register, csv_of(rows), feed="insured-persons"))
    assert (seen["counts"]["applied"], seen["counts"]["duplicate"]) == (1, 1), seen
    shown = (await register.get(f"/deliveries/{seen['delivery']}/records"))["items"]
    assert [one["row"] for one in shown] == [2, 3]
    assert "00000001" not in str(shown)


def test_what_is_kept_of_tables_is_encrypted_anew_with_the_rest() -> None:
    names = {column.name for column in sealed_columns(TAX)}
    assert {"delivery_originals.body", "delivery_notes.body"} <= names
