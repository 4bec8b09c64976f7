"""The upload page in a real browser: a clerk signs in, tries a file, looks, mends it, sends it."""

import json
from pathlib import Path
from typing import Any

from tests.e2e.browser import Looking, browser
from tests.e2e.conftest import Whole
from tests.e2e.test_bad_input import PERIOD, line

UPLOAD = "/reporting/upload"
RECEIPTS = "/tax-feed/v1/feeds/receipts"


async def sign_in(looking: Looking, whole: Whole, role: str, lang: str = "zh") -> None:
    page = looking.page
    await page.goto(f"{whole.url}{UPLOAD}?lang={lang}")
    await page.locator("textarea").fill(whole.tokens[role])
    await page.locator("button").click()
    await page.locator("#feed option").first.wait_for(state="attached")


async def choose(looking: Looking, feed: str, period: str) -> None:
    page = looking.page
    await page.locator("#feed").select_option(feed)
    await page.locator("#fields table").wait_for(state="attached")
    await page.locator("#period").fill(period)


async def test_a_file_is_tried_looked_at_and_sent(whole: Whole, tmp_path: Path) -> None:
    file = tmp_path / "receipts.ndjson"
    file.write_bytes(
        line(receipt_no="JK-PAGE-1") + line(receipt_no="JK-PAGE-2", tax_no="210502PDY000019")
    )
    async with browser(tmp_path) as looking:
        page = looking.page
        await sign_in(looking, whole, "tax")
        await choose(looking, RECEIPTS, PERIOD)
        await page.locator("#file").set_input_files(file)
        await page.locator("#send").wait_for()
        shown = await page.locator("#check").inner_text()
        assert "税务登记号" in shown
        assert "校验码有误" in shown
        assert await stored(whole, "JK-PAGE-1") == 0  # a trial has no effect

        await page.locator("#send").click()
        await page.locator("#save-receipt").wait_for()
        async with page.expect_download() as started:
            await page.locator("#save-receipt").click()
        receipt = saved(await (await started.value).path())
        assert (receipt["sent"], receipt["applied"], receipt["rejected"]) == (2, 1, 1)
        assert receipt["void"] is False
        assert await stored(whole, "JK-PAGE-1") == 1
        assert await page.locator("#mine tbody tr").count() >= 2
        assert looking.errors == []
        assert looking.refused == []


SHEET = """本溪市地方税务局2008年11月下旬养老保险费入库情况表,,,,,,,,,,
填报日期：2008年11月30日,,,,,,,,,单位：万元,
序号,税票号码,纳税人识别号,纳税人名称,费款所属期,入库日期,征收单位,养老保险费,,缴费人数,备注栏
,,,,,,,统筹部分,个人部分,,
1,JK-SHEET-1,210502PDY00001X,本溪市示例餐饮有限公司,2008年11月,2008.11.28,平山区,0.336,0.1344,7人,
2,JK-SHEET-2,2.10502E+14,本溪示例建筑有限公司,2008-11,5/6/2008,210502,2,0.8,约30,
,,合计,,,,,2.336,0.9344,,
"""


async def test_a_messy_sheet_is_mapped_previewed_sent_and_taken_back(
    whole: Whole, tmp_path: Path
) -> None:
    file = tmp_path / "入库情况表.csv"
    file.write_bytes(SHEET.encode("gb18030"))
    async with browser(tmp_path) as looking:
        page = looking.page
        page.on("dialog", lambda dialog: dialog.accept("报错了期间"))
        await sign_in(looking, whole, "tax")
        await choose(looking, RECEIPTS, PERIOD)
        await page.locator("#file").set_input_files(file)
        await page.locator("#keep-mapping").wait_for()  # nobody knows 税票号码
        assert "缴款书号" in await page.locator("#notice").inner_text()
        await page.locator("#found select").select_option("税票号码")
        await page.locator("#keep-mapping").click()
        await page.locator("#send").wait_for()
        shown = await page.locator("#check").inner_text()
        for told in (
            "gb18030",
            "万元",
            "被存成数字",
            "分不清年、月、日",
            "约30 是约数",
            "3,360.00",
        ):
            assert told in shown
        await page.locator("#repairs").evaluate("one => { one.closest('details').open = true }")
        assert "2008.11.28" in await page.locator("#repairs").inner_text()
        async with page.expect_download() as started:
            await page.locator("#annotated").click()
        assert "约30 是约数" in saved_text(await (await started.value).path())

        await page.locator("#send").click()
        await page.locator("#save-receipt").wait_for()
        assert await stored(whole, "JK-SHEET-1") == 1
        await page.locator("#mine tbody tr button").first.click()
        await page.locator("#mine tbody tr", has_text="已撤回").wait_for()
        assert looking.errors == []
        await forget_mapping(whole)


async def test_what_is_refused_is_said_with_its_place(whole: Whole, tmp_path: Path) -> None:
    file = tmp_path / "cut.json"
    file.write_bytes(b'{"records": [{"receipt_no": "1"')
    async with browser(tmp_path, width=420) as looking:
        page = looking.page
        await sign_in(looking, whole, "tax", "en")
        await choose(looking, RECEIPTS, PERIOD)
        await page.locator("#file").set_input_files(file)
        await page.locator("#notice").wait_for()
        assert "Not accepted (400)" in await page.locator("#notice").inner_text()
        assert await page.locator("#check").is_hidden()
        wide = await page.evaluate(
            "() => document.documentElement.scrollWidth > window.innerWidth", None
        )
        assert not wide


async def test_only_feeds_of_the_own_department_are_offered(whole: Whole, tmp_path: Path) -> None:
    async with browser(tmp_path) as looking:
        await sign_in(looking, whole, "industry-commerce")
        offered = await looking.page.locator("#feed option").all_inner_texts()
        assert any("business-licences" in one for one in offered)
        assert not any("receipts" in one or "insured-persons" in one for one in offered)


def saved(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def saved_text(path: Path) -> str:
    return path.read_text("utf-8-sig")


async def forget_mapping(whole: Whole) -> None:
    async with whole.api_as("tax") as api:
        await api.send("DELETE", f"{RECEIPTS}/mapping")


async def stored(whole: Whole, receipt_no: str) -> int:
    async with whole.api_as("tax") as api:
        answer = await api.get(
            "/tax-feed/v1/receipts?employer_key=oc:PDY00001X&received_from=2008-11-28&limit=1000"
        )
        return sum(one["receipt_no"] == receipt_no for one in answer["items"])
