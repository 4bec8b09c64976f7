"""The small decisions of the command line and the demo, without a running system."""

import stat
from pathlib import Path

import httpx
import pytest

from kuomian import data_dir as folder
from kuomian.city.apart import second_code_of
from kuomian.city.numbers import licence_no, org_code
from kuomian.client import Api, Refused, Unreachable
from kuomian.demo.drain import flow_from
from kuomian.demo.gather import compare, rates_of
from kuomian.demo.state import Answer, Loaded, Memory
from kuomian.demo.whoiswho import compared
from kuomian.run import forget_data
from kuomian.words import Failure, fail_words
from shared.settings import parse_keys

LISTENS = {"reporting": ("tax-feed",), "tax-feed": ()}


def status(**more: object) -> dict[str, object]:
    return {"outbox": {"unsent_facts": 0, "heads": {"0": 5, "1": 7}}, **more}


def inbox(first: int, second: int, **more: object) -> dict[str, object]:
    marks = [
        {"producer": "tax-feed", "partition": 0, "position": first},
        {"producer": "tax-feed", "partition": 1, "position": second},
    ]
    return {"inbox": {"marks": marks, "gaps": [], "dead_letters_open": 0, **more}}


def employer(name: str, *, licence: int = 0, code: int = 0, second: int = 0) -> dict[str, object]:
    """Of the firms whose numbers count so; 4, 14, 24 … are those that share none."""
    keys = [f"lic:{licence_no('210502', False, licence)}"] if licence else []
    keys += [f"oc:{org_code(code)}"] if code else []
    keys += [f"oc:{second_code_of(second)}"] if second else []
    return {"employer_id": name, "keys": keys}


def link(left: str, right: str, status: str, *agreed: str) -> dict[str, object]:
    signs = [{"what": what, "finding": "agreed"} for what in agreed]
    sides = {"left_id": left, "right_id": right, "survivor_id": left}
    return {**sides, "status": status, "rule": "same-name", "evidence": signs}


class TestWhoIsWho:
    def test_tells_joined_asked_and_missed_by_what_there_was_to_find_firms_by(self) -> None:
        employers = [
            employer("numbers", licence=1, code=1),
            employer("named", licence=4, code=4),
            employer("asked-l", licence=94),
            employer("asked-c", code=94),
            employer("missed-l", licence=184),
            employer("missed-c", code=184),
            employer("two-codes", licence=2, code=2, second=2),
        ]
        who = compared(employers, [link("asked-c", "asked-l", "suggested")])
        assert [(one.en, one.firms, one.joined, one.asked, one.missed) for one in who.matches] == [
            ("both numbers on one record", 1, 1, 0, 0),
            ("a second code", 1, 1, 0, 0),
            ("name: place written in full", 3, 1, 1, 1),
        ]
        assert (who.recall, who.precision, who.false) == (3 / 4, 1.0, 0)

    def test_a_rule_is_false_where_two_firms_were_joined_even_if_split_since(self) -> None:
        employers = [employer("both", licence=4, code=14), employer("one", licence=24, code=24)]
        links = [
            link("both", "gone-1", "linked", "district"),
            link("one", "gone-2", "linked", "district"),
            link("this", "that", "split", "district"),
            link("one", "gone-3", "confirmed", "legal-representative"),
            link("this", "those", "refused", "legal-representative"),
        ]
        who = compared(employers, links)
        by = {rule.beside: rule for rule in who.rules}
        district, named = by[("district",)], by[("legal-representative",)]
        assert (district.true, district.false, district.precision) == (1, 2, 1 / 3)
        assert (named.asked_one, named.asked_two, named.precision) == (1, 1, None)
        assert (who.false, who.asked_in_vain) == (1, 1)


class TestFlow:
    def test_is_quiet_when_marks_have_reached_the_heads(self) -> None:
        flow = flow_from({"tax-feed": status(), "reporting": inbox(5, 7)}, LISTENS)
        assert (flow.published, flow.applied, flow.waiting, flow.broken) == (12, 12, (), ())

    def test_waits_for_facts_to_apply(self) -> None:
        flow = flow_from({"tax-feed": status(), "reporting": inbox(5, 3)}, LISTENS)
        assert flow.applied == 8
        assert len(flow.waiting) == 1
        assert "4" in flow.waiting[0]

    def test_waits_for_a_partition_never_heard_of(self) -> None:
        flow = flow_from({"tax-feed": status(), "reporting": {"inbox": {}}}, LISTENS)
        assert "12" in flow.waiting[0]

    def test_waits_for_facts_to_send_and_deliveries_to_judge(self) -> None:
        busy = status(deliveries={"unfinished": {"receipts": {"deliveries": 2}}})
        busy["outbox"] = {"unsent_facts": 3, "heads": {}}
        flow = flow_from({"tax-feed": busy, "reporting": inbox(0, 0)}, LISTENS)
        assert len(flow.waiting) == 2

    def test_dead_letters_and_gaps_are_broken(self) -> None:
        hurt = inbox(5, 7, dead_letters_open=1, gaps=[{}])
        assert len(flow_from({"tax-feed": status(), "reporting": hurt}, LISTENS).broken) == 2


def answer(push: str, began: float, ended: float, **more: object) -> Answer:
    counts = {"applied": 10, "duplicate": 0, "rejected": 0, "held": 0}
    given = {"kind": "ordinary", "counts": counts, "expected": counts} | more
    return Answer(push, "tax-feed", "receipts", sent=10, began=began, ended=ended, **given)  # type: ignore[arg-type]


class TestRates:
    def test_count_overlapping_time_once(self) -> None:
        answers = [answer("a", 0, 4), answer("b", 2, 5), answer("c", 10, 11)]
        assert rates_of(answers) == {"receipts": (30, 6.0)}


class TestAnAnswer:
    def test_is_as_expected_only_with_the_very_counts(self) -> None:
        assert answer("a", 0, 1).as_expected
        assert not answer("a", 0, 1, expected={"applied": 9}).as_expected
        assert not answer("a", 0, 1, refused="body-empty").as_expected

    def test_of_a_cut_body_is_its_refusal(self) -> None:
        assert answer("a", 0, 1, kind="cut", refused="body-truncated").as_expected
        assert not answer("a", 0, 1, kind="cut").as_expected


class TestComparing:
    def test_names_each_figure_that_differs(self) -> None:
        def row(code: str, value: int) -> dict[str, object]:
            return {"unit": {"code": code}, "cumulative": {"value": value}}

        table = {"name": "insured-total", "rows": [row("210502", 7), row("210503", 8)]}
        truth = {"insured-total": {"210502": 7, "210503": 9}}
        differences, compared = compare({"measures": [table]}, truth)
        assert compared == 2
        assert [(d.unit, d.true, d.figure) for d in differences] == [("210503", 9, 8)]


class TestMemory:
    def test_leaves_out_a_line_cut_off_by_a_kill(self, tmp_path: Path) -> None:
        memory = Memory(tmp_path)
        memory.keep(Loaded(2008, 0.1, "1"))
        memory.add(answer("a", 0, 1))
        memory.add(answer("b", 0, 1))
        path = tmp_path / "demo" / "pushed.jsonl"
        path.write_text(path.read_text()[:-20])
        assert list(memory.answers()) == ["a"]
        memory.add(answer("c", 0, 1))
        assert set(memory.answers()) == {"a", "c"}

    def test_knows_the_city(self, tmp_path: Path) -> None:
        memory = Memory(tmp_path)
        assert memory.find() is None
        memory.keep(Loaded(2008, 0.1, "1"))
        assert memory.find() == Loaded(2008, 0.1, "1")


class TestDataDir:
    def test_keys_are_made_once_and_private(self, tmp_path: Path) -> None:
        first = folder.keys(tmp_path)
        assert folder.keys(tmp_path) == first
        assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
        assert set(first) == set(folder.KEYS)
        assert all(list(parse_keys(text)) == [1] for text in first.values())

    def test_one_that_is_a_link_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(folder.DataDirError):
            folder.prepare(tmp_path / "link")

    def test_another_folder_is_never_emptied(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").write_text("years of work")
        with pytest.raises(Failure):
            forget_data(tmp_path)
        assert (tmp_path / "thesis.txt").exists()


class TestFailWords:
    def test_are_one_line(self) -> None:
        assert fail_words(Failure("a\nb")) == "a b"
        assert "No such file" in fail_words(FileNotFoundError(2, "No such file", "x.json"))
        assert "ZeroDivisionError" in fail_words(ZeroDivisionError("division by zero"))


class TestApi:
    async def test_an_answer_that_is_no_problem_document_is_still_refused(self) -> None:
        async def page(request: httpx.Request) -> httpx.Response:
            return httpx.Response(502, text="<html>bad gateway")

        async with Api("http://test", transport=httpx.MockTransport(page)) as api:
            with pytest.raises(Refused) as refused:
                await api.get("/x")
        assert refused.value.status == 502

    async def test_nobody_there_is_unreachable(self) -> None:
        async with Api("http://127.0.0.1:9") as api:
            with pytest.raises(Unreachable):
                await api.get("/x")
