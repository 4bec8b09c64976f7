"""A trust answer put together: what was expected, what came, what is on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures import views
from reporting.figures.schemas import UnitName
from reporting.trust import peers, rules, schemas, store
from reporting.trust.peers import Sent
from reporting.trust.rules import FeedState
from shared.inbox import Inbox, InboxStatus, Mark
from shared.plan import Due, Feed
from shared.runtime import Runtime


class Seen(NamedTuple):
    """What this service's own database has to say."""

    came: Mapping[store.Place, store.FeedCame]
    inbox: InboxStatus
    employers: int
    employers_fen: int
    unit_codes: dict[str, int]


async def look(conn: AsyncConnection, runtime: Runtime) -> Seen:
    """Read everything in one snapshot, so that nothing is counted as it moves."""
    plan = runtime.plan
    known = [plan.city.code, *(unit.code for unit in plan.units)]
    employers, fen = await store.unknown_employer_money(conn)
    return Seen(
        await store.feeds_came(conn, [feed.name for feed in plan.feeds if feed.unit_kinds]),
        await Inbox.of(runtime).status(conn),
        employers,
        fen,
        await store.unknown_units(conn, known),
    )


def trust_answer(
    runtime: Runtime, seen: Seen, producers: Mapping[str, Sent | None], had: Sequence[Mark]
) -> schemas.Trust:
    """The verdict with its reasons and everything they rest on. ``had``: the marks from before the
    producers were asked."""
    feeds = _feeds(runtime, seen)
    lines = [_producer(name, sent, seen.inbox) for name, sent in producers.items()]
    held = sum(came.held for came in seen.came.values())
    rejected = sum(came.rejected for came in seen.came.values())
    verdict, reasons = rules.judge(
        rules.Findings(
            missing=_owed(feeds, FeedState.MISSING),
            late=_owed(feeds, FeedState.LATE),
            held=held,
            rejected=rejected,
            dead_letters=seen.inbox.dead_letters_open,
            gaps=len(seen.inbox.gaps),
            stopped=seen.inbox.stopped,
            on_the_way=sum(line.on_the_way or 0 for line in lines),
            restored=[
                name
                for name, sent in producers.items()
                if sent and peers.was_restored(sent, _positions(name, had))
            ],
            unknown_producers=[line.producer for line in lines if not line.known],
            unplaced_units=sorted(seen.unit_codes),
            unknown_employers=seen.employers,
        )
    )
    zh, en = rules.VERDICT_WORDS[verdict]
    return schemas.Trust(
        verdict=verdict,
        zh=zh,
        en=en,
        asked_at=runtime.clock.now(),
        clock=runtime.clock.kind,
        reasons=[schemas.ReasonLine(**asdict(reason)) for reason in reasons],
        feeds=feeds,
        not_received_yet=[
            feed.name for feed in runtime.plan.feeds if feed.name not in rules.RECEIVED_FEEDS
        ],
        held=held,
        rejected=rejected,
        producers=lines,
        dead_letters_open=seen.inbox.dead_letters_open,
        gaps=len(seen.inbox.gaps),
        consumer_stopped=seen.inbox.stopped,
        unknown_money=schemas.UnknownMoney(
            employers=seen.employers, employers_fen=seen.employers_fen, unit_codes=seen.unit_codes
        ),
    )


def _feeds(runtime: Runtime, seen: Seen) -> list[schemas.FeedLine]:
    """Oldest period first within a feed, and within a period in the plan's order of units."""
    plan, now = runtime.plan, runtime.clock.now()
    names: dict[str | None, UnitName] = {u.code: views.unit_name(u.code, plan) for u in plan.units}
    lines = []
    for feed in plan.feeds:
        if feed.name not in rules.FIGURE_FEEDS:
            continue
        owing: tuple[str | None, ...] = plan.owed_by(feed.name) if feed.unit_kinds else (None,)
        # Beside what is owed: for all units at once, or for several, or from one that owes none.
        others = {p[2] for p in seen.came if p[0] == feed.name} - set(owing)
        for due in plan.due_for(feed.name, now, include_open=True):
            period = str(due.period)
            for_all = seen.came.get((feed.name, period, None))
            for unit in (*owing, *sorted(others, key=str)):
                own = seen.came.get((feed.name, period, unit))
                if own is None and unit in others:
                    continue
                owed = unit in owing
                lines.append(
                    _line(feed, due, names.get(unit), owed, own, for_all if owed else None, now)
                )
    return lines


def _line(
    feed: Feed,
    due: Due,
    unit: UnitName | None,
    owed: bool,
    own: store.FeedCame | None,
    for_all: store.FeedCame | None,
    now: datetime,
) -> schemas.FeedLine:
    came = rules.either(_came(own), _came(for_all))
    return schemas.FeedLine(
        feed=feed.name,
        departments=list(feed.departments),
        unit=unit,
        owed=owed,
        period=str(due.period),
        cut_off_on=due.cut_off_on,
        due_at=due.due_at,
        state=rules.feed_state(due.due_at, now, came),
        first_received_at=came.first_received_at if came else None,
        deliveries=own.deliveries if own else 0,
        sent=own.sent if own else 0,
        applied=own.applied if own else 0,
        duplicate=own.duplicate if own else 0,
        rejected=own.rejected if own else 0,
        held=own.held if own else 0,
    )


def _came(found: store.FeedCame | None) -> rules.Came | None:
    return rules.Came(found.first_received_at, found.all_nil) if found else None


def _producer(name: str, sent: Sent | None, inbox: InboxStatus) -> schemas.ProducerLine:
    if sent is None:
        return schemas.ProducerLine(
            producer=name,
            known=False,
            on_the_way=None,
            lag=None,
            unsent=None,
            oldest_unsent_seconds=None,
            behind={},
        )
    marks = ((m.partition, m.position) for m in inbox.marks if m.producer == name)
    behind = dict(peers.behind(sent, marks))
    return schemas.ProducerLine(
        producer=name,
        known=True,
        on_the_way=sum(behind.values()) + sent.unplaced,
        lag=sum(behind.values()),
        unsent=sent.unsent,
        oldest_unsent_seconds=sent.oldest_unsent_seconds,
        behind=behind,
    )


def _positions(producer: str, marks: Sequence[Mark]) -> list[tuple[int, int]]:
    return [(mark.partition, mark.position) for mark in marks if mark.producer == producer]


def _owed(feeds: list[schemas.FeedLine], state: FeedState) -> list[rules.Owed]:
    return [
        rules.Owed(line.feed, line.period, line.unit.zh, line.unit.en)
        if line.unit
        else rules.Owed(line.feed, line.period)
        for line in feeds
        if line.owed and line.state == state
    ]
