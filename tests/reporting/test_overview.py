"""The page at ``/`` (O23): for people, in two languages, with nothing from elsewhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from reporting.overview.texts import TEXTS
from shared.clock import FixedClock
from tests.reporting.conftest import Desk
from tests.reporting.objects import person, receipt
from tests.reporting.test_trust import applications

_VOID = {"meta", "link", "br", "rect", "input", "img"}


class Outline(HTMLParser):
    """Tags that are opened and closed in order, links, texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self.open.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src") and value]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


class TestThePage:
    async def test_shows_the_three_measures_of_every_unit(self, public_desk: Desk) -> None:
        await public_desk.take([person(n) for n in range(3)])
        await public_desk.take([receipt(1, pooled_fen=123_456_789)])
        answer = await public_desk.http.get("/")
        assert answer.status_code == 200
        assert answer.headers["Content-Language"] == "zh"
        page = Outline(answer.text)
        for words in ("参保总人数", "在职参保人数", "养老保险统筹基金征缴", "平山区", "本钢"):
            assert words in page.texts, words
        assert "123.46" in page.texts  # 万元, two decimals, half up
        assert "示例数据" in page.texts
        assert "2008年6月上旬" in page.texts

    async def test_loads_nothing_from_elsewhere(self, public_desk: Desk) -> None:
        answer = await public_desk.http.get("/")
        assert all(link.startswith(("/", "#", "data:")) for link in Outline(answer.text).links)
        assert "<script" not in answer.text
        assert not re.search(r"url\(|@import", answer.text)

    async def test_speaks_english_when_asked(self, public_desk: Desk) -> None:
        page = Outline((await public_desk.http.get("/?lang=en&period=2008-05-D3")).text)
        for words in ("Insured persons, total", "Pingshan District", "SAMPLE", "21–end May 2008"):
            assert words in page.texts, words
        assert not any(re.search(r"[一-鿿]", text) for text in page.texts if text != "中文")

    async def test_leads_to_the_dekads_beside_it(self, public_desk: Desk) -> None:
        links = Outline((await public_desk.http.get("/?period=2008-06-D1")).text).links
        assert "/?period=2008-05-D3&lang=zh" in links
        assert "/?period=2008-06-D2&lang=zh" in links

    async def test_opens_every_number_for_who_has_signed_in(self, desk: Desk) -> None:
        await desk.take([person(1)])
        answer = await desk.ask("/", "leading-group")
        links = [link for link in Outline(answer.text).links if "/figures/" in link]
        assert len(links) >= 3 * 11 * 3
        assert "/reporting/v1/figures/insured-total.210500.2008-06-D1.cumulative" in links
        assert (await desk.get(links[0]))["value"] >= 0

    async def test_says_once_per_feed_which_units_are_missing(
        self, public_desk: Desk, clock: FixedClock
    ) -> None:
        clock.set(datetime(2008, 6, 11, 4, tzinfo=UTC))
        units = ("210502", "210503", "210504", "210505", "210521", "210522", "L-BG", "L-BT")
        came = [applications(n, unit) for n, unit in enumerate(units)]
        await public_desk.take(came)
        page = Outline((await public_desk.http.get("/?lang=en")).text)
        assert page.texts.count("Persons' applications") == 1
        assert "2008-06-D1 Benxi Economic Development Zone, City level" in page.texts
        assert "8/30" in page.texts  # of three dekads and ten units

    async def test_names_what_is_missing_or_late_by_department(
        self, desk: Desk, clock: FixedClock
    ) -> None:
        clock.set(datetime(2008, 6, 11, 4, tzinfo=UTC))
        await desk.take([applications(n, unit) for n, unit in enumerate(("210502", "210503"))])
        page = Outline((await desk.ask("/", lang="en")).text)
        lists = [link for link in page.links if "/obligations?state=" in link]
        assert len(lists) >= 4
        for link in lists:
            listed = await desk.get(f"{link}&limit=1")
            assert str(listed["total"]) in page.texts
        assert any(text.startswith("Dekad reports 2008-06-D1 Pingshan") for text in page.texts)

    async def test_shows_a_dash_for_what_is_not_there(self, public_desk: Desk) -> None:
        page = Outline((await public_desk.http.get("/")).text)
        assert "—" in page.texts  # the city has no rank, the fund no stretch


class TestWithoutASession:
    async def test_one_is_sent_to_sign_in(self, desk: Desk) -> None:
        answer = await desk.http.get("/")
        assert answer.status_code == 303
        assert answer.headers["Location"] == "/reporting/sign-in?next=%2F"
        assert "登录" in (await desk.http.get(answer.headers["Location"])).text

    async def test_numbers_lead_to_sign_in_on_a_public_page(self, public_desk: Desk) -> None:
        links = Outline((await public_desk.http.get("/")).text).links
        opened = [link for link in links if "figures" in link]
        assert opened
        assert all(link.startswith("/reporting/sign-in?next=") for link in opened)

    async def test_signing_in_opens_the_page(self, desk: Desk) -> None:
        token = desk.token("leading-group")["Authorization"].removeprefix("Bearer ")
        answer = await desk.http.post("/reporting/sign-in", data={"token": token, "next": "/"})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        assert (await desk.http.get("/")).status_code == 200


class TestWords:
    @pytest.mark.parametrize("name", sorted(TEXTS))
    def test_come_in_two_languages(self, name: str) -> None:
        zh, en = TEXTS[name]
        assert zh
        assert en
        assert zh != en or not re.search(r"[一-鿿]", zh)
