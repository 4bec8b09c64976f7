"""Working age by sex, post and kind of worker (O67): the one place that knows it.

The birthday of the lower limit counts; whether that of the upper limit does is a setting of the
plan. Women among migrant workers have a limit of their own where the plan names one.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, NamedTuple

from enrollment.policy.rules.case import Case, Rule
from enrollment.policy.rules.terms import Answer, Input
from shared.plan import Plan, PlanLookupError

OF_WORKING_AGE: Final = "of-working-age"
TOO_YOUNG: Final = "too-young"
TOO_OLD: Final = "too-old"
POST_UNKNOWN: Final = "post-unknown"

LOWER: Final = "age-lower"
BIRTHDAY: Final = "age-limit-birthday-included"
MAN: Final = "age-upper-man"
CADRE: Final = "age-upper-woman-cadre"
WORKER: Final = "age-upper-woman-worker"
MIGRANT: Final = "age-upper-woman-migrant-contract"


class AgeLimits(NamedTuple):
    """The plan's limits in full years on one day (O67)."""

    lower: int
    man: int
    woman_cadre: int
    woman_worker: int
    birthday_included: bool
    """Whether the birthday of the upper limit itself still counts."""
    woman_migrant: int | None = None
    """None: a migrant's post decides, as any woman's."""


def age_limits(plan: Plan, on: date) -> AgeLimits:
    """The limits the plan has in force on a day. Raises PlanLookupError where it has none."""
    try:
        migrant: int | None = plan.parameter(MIGRANT, on).as_int()
    except PlanLookupError:
        migrant = None
    return AgeLimits(
        plan.parameter(LOWER, on).as_int(),
        plan.parameter(MAN, on).as_int(),
        plan.parameter(CADRE, on).as_int(),
        plan.parameter(WORKER, on).as_int(),
        plan.parameter(BIRTHDAY, on).as_flag(),
        migrant,
    )


class DatedLimits(NamedTuple):
    """Limits and the days they hold on, both included."""

    from_on: date
    to_on: date
    limits: AgeLimits


def dated_limits(plan: Plan, first_on: date, last_on: date) -> list[DatedLimits]:
    """All limits in force between two days, in order; nothing of days the plan has none for."""
    names = (LOWER, BIRTHDAY, MAN, CADRE, WORKER, MIGRANT)
    values = [value for one in plan.parameters if one.name in names for value in one.values]
    begins = {value.from_on for value in values if value.from_on is not None}
    begins |= {value.to_on + timedelta(1) for value in values if value.to_on is not None}
    days = [first_on, *sorted(day for day in begins if first_on < day <= last_on)]
    found = []
    for on, following in zip(days, [*days[1:], last_on + timedelta(1)], strict=True):
        try:
            found.append(DatedLimits(on, following - timedelta(1), age_limits(plan, on)))
        except PlanLookupError:
            continue
    return found


def birthday(birth_on: date, years: int) -> date:
    """The day the years are full; of someone born on 29 February, 1 March in common years."""
    try:
        return birth_on.replace(year=birth_on.year + years)
    except ValueError:
        return date(birth_on.year + years, 3, 1)


def age_finding(
    birth_on: date,
    sex: str,
    post: str | None,
    on: date,
    limits: AgeLimits,
    worker_class: str | None = None,
) -> str:
    """``of-working-age``, ``too-young``, ``too-old``, or ``post-unknown`` for a woman of whom
    only her post (``cadre`` or ``worker``) would tell. The lower limit's birthday counts."""
    by_name = {
        MAN: limits.man,
        CADRE: limits.woman_cadre,
        WORKER: limits.woman_worker,
        MIGRANT: limits.woman_migrant,
    }
    names = upper_limits(sex, post, worker_class, limits.woman_migrant is not None)
    uppers = [upper for name in names if (upper := by_name[name]) is not None]
    return _finding(birth_on, on, limits.lower, uppers, limits.birthday_included)


def upper_limits(
    sex: str, post: str | None, worker_class: str | None, has_migrant: bool
) -> tuple[str, ...]:
    """Names of the parameters that may be this person's upper limit: one, or of a woman of
    unknown post two."""
    if sex == "M":
        return (MAN,)
    if worker_class == "migrant" and has_migrant:
        return (MIGRANT,)
    if post is None:
        return (CADRE, WORKER)
    return (CADRE,) if post == "cadre" else (WORKER,)


def _finding(
    birth_on: date, on: date, lower: int, uppers: list[int], birthday_included: bool
) -> str:
    if on < birthday(birth_on, lower):
        return TOO_YOUNG
    within = {_is_within(birth_on, upper, on, birthday_included) for upper in uppers}
    if len(within) > 1:
        return POST_UNKNOWN
    return OF_WORKING_AGE if within.pop() else TOO_OLD


def _is_within(birth_on: date, upper: int, on: date, birthday_included: bool) -> bool:
    limit_on = birthday(birth_on, upper)
    return on < limit_on or (birthday_included and on == limit_on)


_WORDS: Final = {
    OF_WORKING_AGE: ("劳动适龄", "of working age"),
    TOO_YOUNG: ("未达年龄下限", "below the lower limit"),
    TOO_OLD: ("已达年龄上限", "at or above the upper limit"),
}


def _judge(case: Case) -> Answer:
    birth_on, sex = case.need("birth_on", "sex")
    post, worker_class = case.get("post"), case.get("worker_class")
    has_migrant = any(one.name == MIGRANT for one in case.plan.parameters)
    names = upper_limits(sex, post, worker_class, has_migrant)
    for name in (LOWER, BIRTHDAY, *names):
        case.find(name)
    case.end_if_lacking()
    lower, uppers = case.whole(LOWER), [case.whole(name) for name in names]
    finding = _finding(birth_on, case.on, lower, uppers, case.flag(BIRTHDAY))
    if finding == POST_UNKNOWN:
        case.lack("post")
    from_on, limit_on = birthday(birth_on, lower), birthday(birth_on, uppers[-1])
    zh, en = _WORDS[finding]
    return Answer(
        finding,
        f"{case.on} {zh}：{lower} 周岁于 {from_on}，上限 {uppers[-1]} 周岁于 {limit_on}",
        f"{en} on {case.on}: {lower} years full on {from_on}, the limit of {uppers[-1]} years "
        f"on {limit_on}",
        facts={"lower_on": from_on.isoformat(), "upper_on": limit_on.isoformat()},
    )


WORKING_AGE: Final = Rule(
    "working-age",
    1,
    "劳动适龄",
    "Working age",
    ("O67",),
    (
        Input("birth_on", "date", "出生日期", "birth date"),
        Input("sex", "code", "性别", "sex", {"M": ("男", "man"), "F": ("女", "woman")}),
        Input(
            "post",
            "code",
            "岗位",
            "post",
            {"cadre": ("干部岗", "cadre"), "worker": ("工人岗", "worker")},
            needed=False,
        ),
        Input(
            "worker_class",
            "code",
            "人员类别",
            "kind of worker",
            {
                "employee": ("职工", "employee"),
                "household": ("个体工商户从业者", "in an individual household business"),
                "flexible": ("灵活就业", "flexible"),
                "migrant": ("农民合同工", "rural contract worker"),
                "out-of-town": ("外埠人员", "from another city"),
                "foreign": ("外籍", "foreign"),
            },
            needed=False,
        ),
    ),
    _WORDS,
    _judge,
    (LOWER, MAN, CADRE, WORKER, MIGRANT, BIRTHDAY),
)
