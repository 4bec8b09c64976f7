"""An officer does something to a lead: an entry in its log, and the facts that follow.

Every edit takes the employer's lock (of a person's lead the register's), under which leads are
worked out again, then the lead's own: what was seen (If-Match) is compared with both, so nobody
decides about evidence they have not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from enrollment.identity.store import lock_employers
from enrollment.leads import projections
from enrollment.leads import rules as lead_rules
from enrollment.leads import store as leads_store
from enrollment.leads.changes import Cause, Step
from enrollment.leads.persons import projections as persons_projections
from enrollment.leads.persons import store as persons_store
from enrollment.leads.rules import Event
from enrollment.leads.work import rules
from enrollment.leads.work.rules import Entry, Limits, State, Wanted
from enrollment.leads.work.schemas import (
    AssignmentGiven,
    ContactGiven,
    ExclusionGiven,
    ReviewGiven,
    StageGiven,
)
from enrollment.leads.work.store import lists, log
from enrollment.leads.work.store.lists import WorkRow
from enrollment.register.store.employers import lock_register
from shared.auth import Caller
from shared.crypto import mask_within
from shared.plan import Plan, PlanLookupError
from shared.problems import field_error, problem
from shared.runtime import Runtime
from shared.versions import Seen, etag_of, require_other_person

EXCLUSION_REASONS: Final = "lead-exclusion-reasons"
_FEED: Final = "lead-work"


def limits_of(plan: Plan, today: date) -> Limits:
    """The plan's time limits in force on the day; problem ``not-available`` naming the parameter
    that the plan does not give."""
    try:
        return Limits(
            today,
            plan.parameter("lead-first-contact-limit", today).as_int(),
            plan.parameter("registration-limit", today).as_int(),
            plan.parameter("lead-age-steps", today).as_list(),
            plan.parameter("lead-escalation-steps", today).as_list(),
        )
    except PlanLookupError as missing:
        raise problem("not-available", reason=str(missing)) from missing


def tag_of(row: WorkRow) -> str:
    """The ETag of a lead as it is worked on: changes with its evidence and with its log."""
    return etag_of(f"lead-work:{row.lead_id}:{row.lead_revision}", row.version)


@dataclass(frozen=True, slots=True)
class Desk:
    """A lead in somebody's hand, locked."""

    conn: AsyncConnection
    runtime: Runtime
    caller: Caller
    lead: WorkRow
    entries: list[Entry]
    others: list[tuple[str, list[Entry]]]
    """Logs of the leads of employers found to be this one."""
    limits: Limits
    now: datetime

    @property
    def holder(self) -> str:
        """Whose lead it is: the employer, else the person."""
        return self.lead.employer_id or self.lead.person_key or ""

    @property
    def state(self) -> State:
        """How the work stands."""
        return rules.state_of(self.entries, [log for _, log in self.others])

    def require_standing(self) -> None:
        """Problem ``lead-closed`` for a lead that has ended."""
        if self.lead.status == "closed":
            raise problem("lead-closed", lead=self.lead.lead_id, outcome=self.lead.outcome)

    async def write(self, entry: Entry) -> Entry:
        """Append the entry to the log."""
        text, step = entry.text, entry.next_step
        entry = entry._replace(
            text=None if text is None else mask_within(text),
            next_step=None if step is None else mask_within(step),
        )
        state = rules.state_of([*self.entries, entry], [log for _, log in self.others])
        await log.append(self.conn, self.lead.lead_id, entry, state)
        return entry

    def entry(self, kind: str, on: date | None = None, **more: Any) -> Entry:
        """The next entry of the log, by the caller."""
        return Entry(
            self.lead.version + 1,
            kind,
            on or self.limits.today,
            self.now,
            self.caller.subject,
            self.caller.department,
            **more,
        )


async def take(
    conn: AsyncConnection, runtime: Runtime, caller: Caller, seen: Seen, lead_id: str
) -> Desk:
    """The lead, locked, as the caller has seen it.

    Problems: ``not-found``; ``forbidden-unit``; ``precondition-failed``.
    """
    now = runtime.clock.now()
    limits = limits_of(runtime.plan, runtime.clock.today())
    holder = await log.find_holder(conn, lead_id)
    if holder is None:
        raise problem("not-found")
    if holder[0] is not None:
        await lock_employers(conn, [holder[0]])
    else:
        await lock_register(conn)
    if await log.find_holder(conn, lead_id) is None:
        raise problem("not-found")  # found to be another employer's meanwhile
    await log.lock_work(conn, lead_id)
    lead = await lists.find_work(conn, lead_id, limits)
    if lead is None:
        raise problem("not-found")
    caller.require_unit(lead.unit)
    seen.require(f"lead-work:{lead_id}:{lead.lead_revision}", lead.version)
    entries = await log.log_of(conn, lead_id)
    others = await log.logs_joined(conn, entries)
    return Desk(conn, runtime, caller, lead, entries, others, limits, now)


async def stage(desk: Desk, given: StageGiven) -> None:
    """Bring a lead to another stage by hand, and tell of it (F19, O38, O50)."""
    desk.require_standing()
    allowed = rules.TRANSITIONS[desk.lead.stage]
    if given.stage not in allowed:
        raise problem(
            "stage-not-allowed",
            stage=desk.lead.stage,
            wanted=given.stage,
            allowed=", ".join(allowed),
        )
    _check_days(desk, given.on, given.promised_by, given.next_on)
    if given.stage == rules.PROMISED and given.promised_by is None:
        raise _missing("promised_by")
    if given.stage == rules.NOTIFIED and given.means is None:
        raise _missing("means")
    await desk.write(
        desk.entry(
            rules.STAGE,
            given.on,
            code=given.stage,
            means=given.means,
            text=given.text,
            next_step=given.next_step,
            next_on=given.next_on,
            promised_by=given.promised_by,
        )
    )
    await _tell_stage(desk, given.stage, given.on)


async def _tell_stage(desk: Desk, reached: str, on: date) -> None:
    conn, lead_id, holder = desk.conn, desk.lead.lead_id, desk.holder
    of_person = desk.lead.person_key is not None
    leads_of = persons_store.leads_of if of_person else leads_store.leads_of
    stored = (await leads_of(conn, [holder]))[holder]
    before = next(lead for lead in stored if lead.lead_id == lead_id)
    lead = before._replace(revision=before.revision + 1, status="advanced")
    step = Step("advanced", lead, max(on, lead.opened_on), None, None)
    await leads_store.write_steps(conn, [step], desk.now)
    ids = await persons_store.person_ids_of(conn, [holder]) if of_person else {}
    fact = projections.fact_of(step, reached, desk.now, ids.get(holder))
    await desk.runtime.outbox.write(conn, [fact])


async def contact(desk: Desk, given: ContactGiven) -> None:
    """Log a contact or a measure, or correct one logged before."""
    _check_days(desk, given.on, given.promised_by, given.next_on)
    if given.kind == rules.CONTACT and given.means is None:
        raise _missing("means")
    if given.corrects is None:
        desk.require_standing()
    else:
        _require_correctable(desk, given)
    told = given.model_dump(exclude={"kind", "on"})
    await desk.write(desk.entry(given.kind, given.on, **told))


def _require_correctable(desk: Desk, given: ContactGiven) -> None:
    """Only what holds is corrected, by its like."""
    holding = {entry.no: entry for entry in rules.as_corrected(desk.entries)}
    old = holding.get(given.corrects or 0)
    if old is None or old.kind not in rules.CORRECTABLE or old.kind != given.kind:
        raise problem(
            "conflict",
            reason=f"第 {given.corrects} 条不能以此更正 · entry {given.corrects} "
            "cannot be corrected by this",
        )


async def assign(desk: Desk, given: AssignmentGiven) -> None:
    """Give the lead to a unit and an officer."""
    desk.require_standing()
    _check_unit(desk.runtime.plan, desk.caller, given.unit)
    if desk.lead.officer is not None and given.reason is None:
        raise _missing("reason")
    await desk.write(
        desk.entry(
            rules.ASSIGNMENT,
            text=given.reason,
            unit=given.unit,
            home_unit=desk.lead.lead_unit,
            officer=given.officer,
            officer_name=given.officer_name if given.officer else None,
        )
    )


async def assign_all(
    conn: AsyncConnection,
    runtime: Runtime,
    caller: Caller,
    wanted: Wanted,
    given: AssignmentGiven,
    expected: int,
) -> int:
    """Give all leads of a filter to a unit and an officer; nothing happens where they are not as
    many as the caller saw (problem ``conflict``)."""
    _check_unit(runtime.plan, caller, given.unit)
    if given.reason is None:
        raise _missing("reason", "/assignment")
    today = runtime.clock.today()
    entry = Entry(
        0,
        rules.ASSIGNMENT,
        today,
        runtime.clock.now(),
        caller.subject,
        caller.department,
        text=mask_within(given.reason),
        unit=given.unit,
        officer=given.officer,
        officer_name=given.officer_name if given.officer else None,
    )
    done = await lists.assign_all(conn, wanted, limits_of(runtime.plan, today), entry)
    if done != expected:
        raise problem(
            "conflict",
            reason=f"现有 {done} 条,与所见 {expected} 条不符"
            f" · there are {done} now, not {expected}",
        )
    return done


async def propose(desk: Desk, given: ExclusionGiven) -> None:
    """Propose to exclude the lead; it stays open until a second person agrees (F20)."""
    desk.require_standing()
    if desk.runtime.plan.find_code(EXCLUSION_REASONS, given.reason) is None:
        codes = [one.code for one in desk.runtime.plan.codes(EXCLUSION_REASONS)]
        error = field_error("pattern-mismatch", "/reason", {"expected": ", ".join(codes)})
        raise problem("parameter-invalid", errors=[error], count=1)
    if desk.lead.proposal_no is not None:
        raise problem("conflict", reason="已有排除申请待审核 · an exclusion waits already")
    await desk.write(desk.entry(rules.PROPOSED, code=given.reason, text=given.text))


async def review(desk: Desk, given: ReviewGiven) -> None:
    """The second person agrees, and the lead closes; or refuses, and it stays (F20).

    Problems: ``conflict`` where nothing waits; ``same-person`` for whoever proposed it.
    """
    desk.require_standing()
    waiting = next((one for one in desk.entries if one.no == desk.lead.proposal_no), None)
    if waiting is None:
        raise problem("conflict", reason="没有待审核的排除申请 · no exclusion waits")
    require_other_person(desk.caller, waiting.made_by)
    kind = rules.DECIDED if given.agreed else rules.REFUSED
    entry = await desk.write(desk.entry(kind, code=waiting.code, text=given.text))
    if not given.agreed:
        return
    sources = await leads_store.sources_of(desk.conn, desk.lead.lead_id)
    on = max([entry.on, *(source.effective_on for source in sources)])
    gap = desk.lead.kind == lead_rules.NOT_FULLY
    await _decide(
        desk,
        [
            Event(
                f"decision:{desk.lead.lead_id}:{entry.no}:{source.subject}",
                1,
                lead_rules.EXCLUDED,
                desk.now,
                on,
                _FEED,
                desk.lead.lead_unit,
                (source.period or f"{on:%Y-%m}") if gap else "",
                source.taxable,
                None,
                None,
            )
            for source in sources
        ],
        on,
    )


async def revoke(desk: Desk, text: str) -> None:
    """Take back an exclusion: it never was, and the lead is open where its evidence stands. One
    that came with its evidence, of employers joined or parted since, is taken back as well.

    Problem ``conflict`` where none stands.
    """
    lead = desk.lead
    own = f"decision:{lead.lead_id}:{lead.decision_no}:"
    excluded = lead.outcome == lead_rules.EXCLUDED
    sources = await leads_store.sources_of(desk.conn, lead.lead_id) if excluded else []
    weighed = {source.subject for source in sources}
    gap = lead.kind == lead_rules.NOT_FULLY
    told = [
        one
        for one in await log.decisions_of(desk.conn, lead.employer_id, lead.person_key)
        if (lead.decision_no is not None and one.subject.startswith(own))
        or (one.subject.split(":", 3)[3] in weighed and bool(one.period) == gap)
    ]
    if lead.decision_no is None and not told:
        raise problem("conflict", reason="没有现行的排除决定 · no exclusion stands")
    await desk.write(desk.entry(rules.REVOKED, text=text))
    await _decide(
        desk,
        [
            Event(
                one.subject,
                one.revision + 1,
                lead_rules.GONE,
                desk.now,
                one.effective_on,
                one.feed,
                one.unit,
                one.period,
                one.taxable,
                None,
                None,
            )
            for one in told
        ],
        desk.limits.today,
    )


async def _decide(desk: Desk, events: list[Event], on: date) -> None:
    """The decision is evidence from now on; the leads follow, and the facts are told."""
    told = [(desk.holder, event) for event in events]
    causes = {desk.holder: Cause(None, None, on)}
    facts: list[projections.LeadFact]
    if desk.lead.person_key is not None:
        await persons_store.insert_events(desk.conn, told)
        facts = await persons_projections.follow(desk.conn, causes, desk.now)
    else:
        await leads_store.insert_events(desk.conn, told)
        facts = await projections.follow(desk.conn, causes, desk.now, plan=desk.runtime.plan)
    if facts:
        await desk.runtime.outbox.write(desk.conn, facts)


def _check_days(desk: Desk, on: date, promised_by: date | None, next_on: date | None) -> None:
    """Nothing happens tomorrow, and what is to come lies ahead of what happened."""
    today = desk.limits.today
    errors = []
    if on > today:
        errors.append(field_error("value-out-of-range", "/on", {"maximum": str(today)}))
    for name, day in (("promised_by", promised_by), ("next_on", next_on)):
        if day is not None and day < on:
            errors.append(field_error("value-out-of-range", f"/{name}", {"minimum": str(on)}))
    if errors:
        raise problem("parameter-invalid", errors=errors, count=len(errors))


def _check_unit(plan: Plan, caller: Caller, unit: str | None) -> None:
    if unit is None:
        return
    if not plan.has_unit(unit):
        error = field_error("unit-unknown", "/unit", {"value": unit})
        raise problem("parameter-invalid", errors=[error], count=1)
    caller.require_unit(unit)


def _missing(name: str, within: str = "") -> Exception:
    error = field_error("field-missing", f"{within}/{name}", {"field": name})
    return problem("parameter-invalid", errors=[error], count=1)
