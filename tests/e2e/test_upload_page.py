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


async def stored(whole: Whole, receipt_no: str) -> int:
    async with whole.api_as("tax") as api:
        answer = await api.get(
            "/tax-feed/v1/receipts?employer_key=oc:PDY00001X&received_from=2008-11-28&limit=1000"
        )
        return sum(one["receipt_no"] == receipt_no for one in answer["items"])
