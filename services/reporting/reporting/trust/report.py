"""A trust answer put together: what was expected, what came, what is on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.trust import peers, rules, schemas, store
from reporting.trust.peers import Sent
from reporting.trust.rules import FeedState
from shared.inbox import Inbox, InboxStatus
from shared.runtime import Runtime


class Seen(NamedTuple):
    """What this service's own database has to say."""

    came: Mapping[tuple[str, str], store.FeedCame]
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
        await store.feeds_came(conn),
        await Inbox.of(runtime).status(conn),
        employers,
        fen,
        await store.unknown_units(conn, known),
    )


def trust_answer(
    runtime: Runtime, seen: Seen, producers: Mapping[str, Sent | None]
) -> schemas.Trust:
    """The verdict with its reasons and everything they rest on."""
    feeds = _feeds(runtime, seen)
    lines = [_producer(name, sent, seen.inbox) for name, sent in producers.items()]
    held = sum(came.held for came in seen.came.values())
    rejected = sum(came.rejected for came in seen.came.values())
    verdict, reasons = rules.judge(
        rules.Findings(
            missing=_names(feeds, FeedState.MISSING),
            late=_names(feeds, FeedState.LATE),
            held=held,
            rejected=rejected,
            dead_letters=seen.inbox.dead_letters_open,
            gaps=len(seen.inbox.gaps),
            stopped=seen.inbox.stopped,
            lag=sum(line.lag or 0 for line in lines),
            unsent=sum(line.unsent or 0 for line in lines),
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
            feed.name for feed in runtime.plan.feeds if feed.name not in rules.FIGURE_FEEDS
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
    plan, now = runtime.plan, runtime.clock.now()
    lines = []
    for feed in plan.feeds:
        if feed.name not in rules.FIGURE_FEEDS:
            continue
        for due in plan.due_for(feed.name, now, include_open=True):
            came = seen.came.get((feed.name, str(due.period)))
            first = rules.Came(came.first_received_at, came.all_nil) if came else None
            lines.append(
                schemas.FeedLine(
                    feed=feed.name,
                    departments=list(feed.departments),
                    period=str(due.period),
                    cut_off_on=due.cut_off_on,
                    due_at=due.due_at,
                    state=rules.feed_state(due.due_at, now, first),
                    first_received_at=came.first_received_at if came else None,
                    deliveries=came.deliveries if came else 0,
                    sent=came.sent if came else 0,
                    applied=came.applied if came else 0,
                    duplicate=came.duplicate if came else 0,
                    rejected=came.rejected if came else 0,
                    held=came.held if came else 0,
                )
            )
    return lines


def _producer(name: str, sent: Sent | None, inbox: InboxStatus) -> schemas.ProducerLine:
    if sent is None:
        return schemas.ProducerLine(
            producer=name, known=False, lag=None, unsent=None, oldest_unsent_seconds=None, behind={}
        )
    marks = ((m.partition, m.position) for m in inbox.marks if m.producer == name)
    behind = dict(peers.behind(sent, marks))
    return schemas.ProducerLine(
        producer=name,
        known=True,
        lag=sum(behind.values()),
        unsent=sent.unsent,
        oldest_unsent_seconds=sent.oldest_unsent_seconds,
        behind=behind,
    )


def _names(feeds: list[schemas.FeedLine], state: FeedState) -> list[str]:
    return [f"{line.feed} {line.period}" for line in feeds if line.state == state]
