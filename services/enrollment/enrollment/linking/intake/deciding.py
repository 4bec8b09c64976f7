"""What people decide about pairs, conflicts and employers' keys, with who, when and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.golden import intake as golden
from enrollment.identity import store as identity_store
from enrollment.leads.worth.projections import assess_employers
from enrollment.linking import rules
from enrollment.linking.intake import parting
from enrollment.linking.intake.joining import Wanted, effect_of, join
from enrollment.linking.intake.parting import Parted
from enrollment.linking.store import conflicts, links, moving
from enrollment.linking.store.links import Decided
from shared.auth import Caller
from shared.problems import problem
from shared.runtime import Runtime
from shared.versions import Seen

LinkDecision: TypeAlias = Literal["confirm", "refuse", "split"]
ConflictDecision: TypeAlias = Literal["keep", "move", "merge"]


class Order(NamedTuple):
    """A decision as an officer gives it."""

    caller: Caller
    decision: str
    reason: str
    seen: Seen


def link_tag(link_id: int) -> str:
    """What a pair's ETag is about."""
    return f"identity-link:{link_id}"


def conflict_tag(conflict_id: int) -> str:
    """What a conflict's ETag is about."""
    return f"link-conflict:{conflict_id}"


def keys_tag(employer_id: str) -> str:
    """What the ETag of an employer's keys is about."""
    return f"employer-keys:{employer_id}"


async def decide_link(
    conn: AsyncConnection, runtime: Runtime, link_id: int, order: Order
) -> dict[str, Any]:
    """Confirm, refuse or split a pair; its row afterwards.

    Raises the problems ``not-found``, ``forbidden-unit``, ``precondition-failed``,
    ``link-decided`` (not possible in its present status), ``both-in-register`` and
    ``nothing-to-part``; then nothing has happened.
    """
    link = await _locked_link(conn, link_id, order)
    if not rules.may(order.decision, link["status"]):
        raise problem("link-decided", status=link["status"])
    effect: dict[str, Any] = {}
    decided = Decided(link_id, rules.after(order.decision), None, None, None, None)
    if order.decision == "split":
        parted = await _undo(conn, runtime, link)
        effect = _effect(parted)
    elif order.decision == "confirm" and link["status"] != rules.LINKED:
        decided, effect = await _confirm(conn, runtime, link, rule="officer")
    await _keep(conn, runtime, decided, order, effect)
    found = await links.find_link(conn, link_id)
    if found is None:
        raise problem("not-found")
    return found


async def _locked_link(conn: AsyncConnection, link_id: int, order: Order) -> dict[str, Any]:
    """The pair with nobody else near it: identity first, then the employers, then the row."""
    link = await links.find_link(conn, link_id)
    if link is None:
        raise problem("not-found")
    for side in ("left_unit", "right_unit"):
        order.caller.require_unit(link[side])
    if order.decision != "refuse":
        await moving.lock_identity(conn)
        root = await moving.roots(conn, (link["left_id"], link["right_id"]))
        await identity_store.lock_employers(conn, {*root, *root.values()})
    link = await links.find_link(conn, link_id, lock=True)
    if link is None:
        raise problem("not-found")
    order.seen.require(link_tag(link_id), link["revision"])
    return link


async def _confirm(
    conn: AsyncConnection, runtime: Runtime, link: dict[str, Any], rule: str
) -> tuple[Decided, dict[str, Any]]:
    now = runtime.clock.now()
    wanted = Wanted(link["id"], link["left_id"], link["right_id"])
    joined = await join(conn, runtime.plan, [wanted], rule, now)
    if joined.both_in_register:
        raise problem("both-in-register")
    if joined.facts:
        await runtime.outbox.write(conn, joined.facts)
    if not joined.done:  # one employer by now, through others
        return Decided(link["id"], rules.CONFIRMED, None, None, None, None), {}
    return joined.done[0]._replace(status=rules.CONFIRMED), effect_of(joined.done[0])


async def _undo(conn: AsyncConnection, runtime: Runtime, link: dict[str, Any]) -> Parted:
    now = runtime.clock.now()
    parted = await parting.undo(conn, runtime.plan, link, now)
    await runtime.outbox.write(conn, parted.facts)
    return parted


async def _keep(
    conn: AsyncConnection, runtime: Runtime, decided: Decided, order: Order, effect: dict[str, Any]
) -> None:
    now, caller = runtime.clock.now(), order.caller
    await links.write_decided(conn, [decided], caller.subject, order.reason, now)
    await _log(conn, runtime, f"link:{decided.id}", order, effect)


async def _log(
    conn: AsyncConnection, runtime: Runtime, about: str, order: Order, effect: dict[str, Any]
) -> None:
    who = (order.caller.subject, order.caller.department)
    await links.log_decision(
        conn, [about], order.decision, order.reason, who, runtime.clock.now(), [effect]
    )


def _effect(parted: Parted) -> dict[str, Any]:
    return {"from": parted.holder, "to": parted.other, "keys": parted.keys}


async def part_employer(
    conn: AsyncConnection, runtime: Runtime, employer_id: str, keys: Sequence[str], order: Order
) -> str:
    """Some keys of an employer become an employer of their own; its id.

    For keys that records joined: a pair that was linked is split as a whole (``decide_link``).
    Raises the problems ``not-found``, ``forbidden-unit``, ``precondition-failed`` and
    ``nothing-to-part``.
    """
    await moving.lock_identity(conn)
    await identity_store.lock_employers(conn, [employer_id])
    state = await links.find_keys(conn, employer_id)
    if state is None:
        raise problem("not-found")
    order.caller.require_unit(state["unit"])
    order.seen.require(keys_tag(employer_id), state["link_revision"])
    now = runtime.clock.now()
    parted = await parting.part_keys(conn, runtime.plan, employer_id, keys, now)
    await runtime.outbox.write(conn, parted.facts)
    await links.keep_apart(
        conn, parted.holder, parted.other, state["unit"], order.caller.subject, order.reason, now
    )
    await _log(conn, runtime, f"employer:{employer_id}", order, _effect(parted))
    return parted.other


async def decide_conflict(
    conn: AsyncConnection, runtime: Runtime, conflict_id: int, order: Order
) -> None:
    """Keep the key where it is, move it to the employer the record was taken to be about, or merge
    the two.

    Raises the problems ``not-found``, ``forbidden-unit``, ``precondition-failed``,
    ``link-decided`` (resolved already), ``both-in-register`` and ``nothing-to-part``.
    """
    conflict = await _locked_conflict(conn, conflict_id, order)
    now = runtime.clock.now()
    effect: dict[str, Any] = {}
    if order.decision == "merge":
        one, other = conflict["owner_id"], conflict["employer_id"]
        units = {one: conflict["owner_unit"], other: conflict["employer_unit"]}
        link_id = await links.pair_of_conflict(conn, one, other, units, now)
        link = await links.find_link(conn, link_id, lock=True)
        if link is None:
            raise problem("not-found")
        if link["status"] not in rules.TOGETHER:
            decided, effect = await _confirm(conn, runtime, link, rule="record")
            await _keep(conn, runtime, decided, order, effect)
    elif order.decision == "move":
        root = await moving.roots(conn, (conflict["owner_id"], conflict["employer_id"]))
        owner, taker = root[conflict["owner_id"]], root[conflict["employer_id"]]
        if owner == taker:
            raise problem("nothing-to-part")
        parted = await parting.move_key(conn, runtime.plan, owner, taker, conflict["key"], now)
        await runtime.outbox.write(conn, parted.facts)
        effect = _effect(parted)
    await conflicts.resolve(conn, conflict_id, order.decision, now)
    sides = await moving.roots(conn, (conflict["owner_id"], conflict["employer_id"]))
    await golden.look_again(conn, runtime.plan, set(sides.values()), now)
    # Who they are is decided: their leads are tested without the doubt.
    await assess_employers(conn, set(sides.values()), now)
    await _log(conn, runtime, f"conflict:{conflict_id}", order, effect)


async def _locked_conflict(conn: AsyncConnection, conflict_id: int, order: Order) -> dict[str, Any]:
    conflict = await conflicts.find_conflict(conn, conflict_id)
    if conflict is None:
        raise problem("not-found")
    for side in ("owner_unit", "employer_unit"):
        order.caller.require_unit(conflict[side])
    await moving.lock_identity(conn)
    root = await moving.roots(conn, (conflict["owner_id"], conflict["employer_id"]))
    await identity_store.lock_employers(conn, {*root, *root.values()})
    conflict = await conflicts.find_conflict(conn, conflict_id, lock=True)
    if conflict is None:
        raise problem("not-found")
    order.seen.require(conflict_tag(conflict_id), conflict["revision"])
    if conflict["resolved_at"] is not None:
        raise problem("link-decided", status=conflict["resolution"])
    return conflict
