"""Applying judged rows: the feed's effect, with what it came to accounted for record by record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import structlog
from sqlalchemy.exc import DBAPIError

from shared.database import is_retryable, said_yes, sent_together
from shared.deliveries.feed import (
    ApplyContext,
    Disposition,
    Fresh,
    JudgedRow,
    Outcome,
    RowProblem,
)
from shared.deliveries.fresh import Prepared, Preparing, ask_for_known, copy_prepared
from shared.deliveries.judge import Judged, Judging, unusable
from shared.deliveries.numbers import Remarks
from shared.deliveries.receipts import NotConserved
from shared.outbox import PackedFacts

MAX_UNUSABLE: Final = 10
"""More records than this breaking the apply of one chunk are a fault of ours, not of theirs:
the feed stops and says so, rather than rejecting what is right."""

_LOG = structlog.get_logger("deliveries")


@dataclass
class Result:
    """How the records of one judged segment ended; those not named were applied."""

    dispositions: dict[int, Disposition] = field(default_factory=dict)
    problems: dict[int, tuple[RowProblem, ...]] = field(default_factory=dict)
    waiting_for: dict[int, str] = field(default_factory=dict)
    remarks: dict[int, Remarks] = field(default_factory=dict)
    """What is to be said of records' numbers."""
    blocks: list[PackedFacts] = field(default_factory=list)
    """Facts that are still to be written to the outbox."""


async def apply_judged(ctx: ApplyContext, judged: Judged) -> tuple[Result, Outcome]:
    """Apply the rows and account for every record. Raises NotConserved when the feed's apply
    names a record it was not given, or holds one without saying what for."""
    _log_failures(ctx, judged)
    rows = list(map(JudgedRow._make, judged.rows))
    unusable_found: dict[int, Exception] = {}
    outcome = await _apply(ctx, rows, unusable_found) if rows else Outcome()
    if rows and len(unusable_found) == len(rows):
        _raise_ours(unusable_found.values())
    _check(outcome, {row.no for row in rows})
    result = Result(
        dict.fromkeys(judged.problems, Disposition.REJECTED),
        {**judged.problems, **outcome.problems},
        dict(outcome.waiting_for),
        judged.remarks,
    )
    result.dispositions.update(outcome.dispositions)
    return result, outcome


class NotNew(Exception):
    """Rows prepared as new are not, or the database refuses one, and others are written already:
    the transaction is to be rolled back, and the chunk applied as it is judged."""


async def apply_prepared(
    ctx: ApplyContext, preparing: Preparing, judging: Judging
) -> Result | None:
    """The quick way: parts written as they come from judging. None, with nothing written, when
    a row of the first one is for ``Feed.apply``; raises NotNew when that is found out later, or
    the database refuses a row. ``apply_judged`` finds out more.

    No savepoint: it would cost every chunk two ways to the database, and hardly any needs it.
    """
    ctx = replace(ctx, recorded_at=preparing.recorded_at)
    try:
        return await _write_parts(ctx, preparing, judging)
    except NotNew:
        raise
    except Exception as error:
        if is_retryable(error):
            raise
        failure = describe_failure(error)
        _LOG.warning("prepared rows refused", feed=ctx.feed.name, error=failure)
        raise NotNew from error


async def _write_parts(ctx: ApplyContext, preparing: Preparing, judging: Judging) -> Result | None:
    fresh, result = preparing.fresh, Result()
    rests: list[Any] = []
    written = False
    async for judged in judging.parts():
        _log_failures(ctx, judged)
        result.dispositions.update(dict.fromkeys(judged.problems, Disposition.REJECTED))
        result.problems.update(judged.problems)
        result.remarks.update(judged.remarks)
        prepared = judged.prepared
        if prepared is None and not judged.rows:
            continue
        if (
            prepared is None
            or not (written or await _begun(ctx, preparing))
            or await _is_known(ctx, fresh, prepared, result.blocks)
        ):
            if written:
                raise NotNew
            return None
        await copy_prepared(ctx.conn, fresh, prepared)
        result.blocks, written = [prepared.facts], True
        if prepared.rest is not None:
            rests.append(prepared.rest)
    if fresh.follow is not None and rests:
        result.blocks += ctx.runtime.outbox.packed(await fresh.follow(ctx, rests))
    return result


async def _begun(ctx: ApplyContext, preparing: Preparing) -> bool:
    begin = preparing.fresh.begin
    return begin is None or await begin(ctx, preparing.ahead)


async def _is_known(
    ctx: ApplyContext, fresh: Fresh, prepared: Prepared, blocks: Sequence[PackedFacts]
) -> bool:
    """Whether a key of the part is known; the facts of the part before go with the question."""
    async with sent_together(ctx.conn):
        await ctx.runtime.outbox.write_packed(ctx.conn, blocks)
        asked = await ask_for_known(ctx.conn, fresh, prepared)
    return await said_yes(asked)


def _log_failures(ctx: ApplyContext, judged: Judged) -> None:
    for no, kind in judged.failures.items():
        _LOG.error("judge failed", feed=ctx.feed.name, delivery=ctx.delivery.id, no=no, error=kind)


def _check(outcome: Outcome, given: set[int]) -> None:
    named: set[int] = {*outcome.dispositions, *outcome.problems, *outcome.waiting_for}
    if not named <= given:
        raise NotConserved(f"records {sorted(named - given)[:5]} were not given to be applied")
    held = {no for no, how in outcome.dispositions.items() if how is Disposition.HELD}
    if held != outcome.waiting_for.keys():
        raise NotConserved("a held record says what it waits for, and no other does")


async def _apply(
    ctx: ApplyContext, rows: Sequence[JudgedRow], unusable_found: dict[int, Exception]
) -> Outcome:
    """The feed's apply; should the database refuse it, in halves, to find the record that is
    to blame and reject that one."""
    try:
        return await _within_savepoint(ctx, rows)
    except Exception as error:
        if is_retryable(error):
            raise
        if len(rows) == 1:
            unusable_found[rows[0].no] = error
            if len(unusable_found) > MAX_UNUSABLE:
                raise
            return _rejected(ctx, rows[0].no, error)
    middle = len(rows) // 2
    first = await _apply(ctx, rows[:middle], unusable_found)
    return _joined(first, await _apply(ctx, rows[middle:], unusable_found))


def _raise_ours(errors: Iterable[Exception]) -> None:
    """Every record breaking the apply is no fault of theirs, unless the database says that it is
    their data (SQLSTATE 22, 23)."""
    for error in errors:
        if not (_state_of(error) or "").startswith(("22", "23")):
            raise error


async def _within_savepoint(ctx: ApplyContext, rows: Sequence[JudgedRow]) -> Outcome:
    async with ctx.conn.begin_nested():
        return await ctx.feed.apply(ctx, rows)


def _rejected(ctx: ApplyContext, no: int, error: Exception) -> Outcome:
    _LOG.error(
        "apply failed",
        feed=ctx.feed.name,
        delivery=ctx.delivery.id,
        no=no,
        error=describe_failure(error),
    )
    return Outcome(
        dispositions={no: Disposition.REJECTED},
        problems={no: (unusable(ctx.delivery.id, no),)},
    )


def _joined(one: Outcome, other: Outcome) -> Outcome:
    return Outcome(
        one.dispositions | other.dispositions,
        one.problems | other.problems,
        one.waiting_for | other.waiting_for,
        one.facts + other.facts,
        one.released | other.released,
    )


def describe_failure(error: BaseException) -> str:
    """Kind of error and SQLSTATE, never the message: it may quote a person's data."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    state = _state_of(error)
    return f"{type(cause).__name__} {state}" if state else type(cause).__name__


def _state_of(error: BaseException) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    state: str | None = getattr(cause, "sqlstate", None)
    return state


def problem_codes(problems: Mapping[int, tuple[RowProblem, ...]]) -> list[str]:
    """Every code as often as it occurs."""
    return [one.code for found in problems.values() for one in found]
