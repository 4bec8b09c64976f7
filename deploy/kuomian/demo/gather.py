"""What the closing summary says, gathered through the public API and compared with the truth."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kuomian.city.wrongs import PLANTED_TEXTS
from kuomian.client import Api
from kuomian.demo.doubts import doubts_of
from kuomian.demo.state import Answer, Done, Loaded
from kuomian.demo.traces import traces_of
from kuomian.demo.whoiswho import WhoIsWho, who_is_who
from kuomian.services import all_services
from shared.periods import Dekad
from shared.plan import Plan

COUNTS = ("applied", "duplicate", "rejected", "held")


@dataclass(frozen=True)
class FeedSum:
    """All deliveries of a feed, as the service counts them now."""

    service: str
    feed: str
    deliveries: int
    sent: int
    counts: dict[str, int]
    nil: int
    """Of the deliveries, those that say there is nothing."""

    @property
    def conserved(self) -> bool:
        return self.sent == sum(self.counts.values())


@dataclass(frozen=True)
class Mess:
    """One kind of planted mess; ``found`` is None for what the departments see in part only."""

    zh: str
    en: str
    planted: int
    found: int | None
    outcome_zh: str
    outcome_en: str

    @property
    def ok(self) -> bool:
        return self.found is None or self.found == self.planted


@dataclass(frozen=True)
class Difference:
    """A figure that is not what the made city knows to be true."""

    measure: str
    unit: str
    true: int
    figure: int


@dataclass(frozen=True)
class Closing:
    """Everything the summary shows."""

    progress: Mapping[str, Any]
    sums: list[FeedSum]
    mess: list[Mess]
    differences: list[Difference]
    compared: int
    unexpected: list[Answer]
    misdone: list[Done]
    """Officers' deeds that were not answered as they must be."""
    rates: dict[str, tuple[int, float]]
    """Feed → (records, seconds in which at least one of its deliveries was on its way)."""
    who: WhoIsWho

    @property
    def ok(self) -> bool:
        return (
            not self.differences
            and not self.who.false
            and not self.unexpected
            and not self.misdone
            and all(s.conserved for s in self.sums)
            and all(mess.ok for mess in self.mess)
        )


async def gather(
    api: Api,
    loaded: Loaded,
    answers: Mapping[str, Answer],
    done: Mapping[str, Done],
    period: Dekad,
    plan: Plan,
) -> Closing:
    """Ask the running system, as an auditor. Raises Refused, Unreachable."""
    progress = await api.get("/reporting/v1/progress", period=str(period))
    traces = await all_traces_of(api, loaded, answers, done, period, plan)
    sums = await feed_sums(api)
    differences, compared = compare(progress, loaded.truth)
    return Closing(
        progress=progress,
        sums=sums,
        mess=mess_of(loaded, answers.values(), sums, traces),
        differences=differences,
        compared=compared,
        unexpected=[answer for answer in answers.values() if not answer.as_expected],
        misdone=[one for one in done.values() if one.refused != one.expected],
        rates=rates_of(answers.values()),
        who=await who_is_who(api),
    )


async def all_traces_of(
    api: Api,
    loaded: Loaded,
    answers: Mapping[str, Answer],
    done: Mapping[str, Done],
    period: Dekad,
    plan: Plan,
) -> dict[str, int]:
    """Kind of mess → how often it is found in what the services keep."""
    traces = await traces_of(api, period, plan)
    before = datetime.fromisoformat(loaded.closing_at)
    doubts = await doubts_of(api, answers.values(), done.values(), before)
    # A licence changes for a new representative, or because its firm moved.
    return {**traces, **doubts, "moved": traces["moved"] - doubts["succeeded"]}


async def feed_sums(api: Api) -> list[FeedSum]:
    """The four counts of every feed, summed over its deliveries."""
    sums = []
    for service in all_services():
        for feed in service.feeds:
            counts: Counter[str] = Counter()
            deliveries = sent = nil = 0
            path = f"/{service.name}/v1/deliveries"
            async for delivery in api.items(path, feed=feed.name, limit=1000):
                if delivery["dry_run"]:
                    continue
                deliveries += 1
                sent += delivery["records_sent"]
                nil += delivery["nil"]
                counts.update(delivery["counts"])
            four = {name: counts[name] for name in COUNTS}
            sums.append(FeedSum(service.name, feed.name, deliveries, sent, four, nil))
    return sums


def compare(
    progress: Mapping[str, Any], truth: Mapping[str, Mapping[str, int]]
) -> tuple[list[Difference], int]:
    """Cumulative figures against the truth; returns differences and how many were compared."""
    differences, compared = [], 0
    for table in progress["measures"]:
        true = truth.get(table["name"], {})
        for row in table["rows"]:
            code = row["unit"]["code"]
            if code in true:
                compared += 1
                figure = row["cumulative"]["value"]
                if figure != true[code]:
                    differences.append(Difference(table["name"], code, true[code], figure))
    return differences, compared


def mess_of(
    loaded: Loaded, answers: Iterable[Answer], sums: list[FeedSum], traces: Mapping[str, int]
) -> list[Mess]:
    """The planted mess with what became of it, counted from receipts, the feeds' sums and the
    traces it left."""
    found = {**_found(list(answers), sums), **traces}
    names = {texts[1]: name for name, texts in PLANTED_TEXTS.items()}
    # What is held at first is released, unless its employer never came.
    found["held-released"] = found.pop("held-at-first", 0) - found["held-forever"]
    return [
        Mess(
            zh=p["zh"],
            en=p["en"],
            planted=p["count"],
            found=found.get(names[p["en"]]),
            outcome_zh=p["outcome_zh"],
            outcome_en=p["outcome_en"],
        )
        for p in loaded.planted
    ]


def _found(answers: list[Answer], sums: list[FeedSum]) -> dict[str, int]:
    problems: Counter[str] = Counter()
    first: dict[str, Answer] = {}
    for answer in answers:
        if answer.kind != "again":
            problems.update(answer.problems)
            first[answer.push.rpartition("/")[0]] = answer
    ordinary = [answer for answer in answers if answer.kind == "ordinary"]
    return {
        "wrong-check-digit": problems["check-digit-wrong"],
        "not-yours": problems["unit-not-yours"],
        "duplicate": sum(answer.counts["duplicate"] for answer in ordinary),
        "held-at-first": sum(answer.counts["held"] for answer in ordinary),
        "held-forever": sum(s.counts["held"] for s in sums),
        "again": sum(
            answer.receipt == first[answer.push.rpartition("/")[0]].receipt
            for answer in answers
            if answer.kind == "again"
        ),
        "cut": sum(answer.kind == "cut" and answer.as_expected for answer in answers),
        "nil": sum(s.nil for s in sums),
    }


def rates_of(answers: Iterable[Answer]) -> dict[str, tuple[int, float]]:
    """Records and busy seconds per feed: overlapping deliveries count their time once."""
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    records: Counter[str] = Counter()
    for answer in answers:
        spans[answer.feed].append((answer.began, answer.ended))
        records[answer.feed] += answer.sent
    return {feed: (records[feed], _covered(sorted(spans[feed]))) for feed in spans}


def _covered(spans: list[tuple[float, float]]) -> float:
    covered, until = 0.0, float("-inf")
    for began, ended in spans:
        covered += max(0.0, ended - max(began, until))
        until = max(until, ended)
    return covered
