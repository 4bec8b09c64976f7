"""Who is to be taken in, by which path, and for what nobody may be refused (O74–O77, O81, O82)."""

from __future__ import annotations

from typing import Final

from enrollment.policy.rules.case import Case, Rule
from enrollment.policy.rules.terms import Answer, Input

_WORKERS: Final = {
    "urban": ("本市城镇职工", "townspeople of this city"),
    "rural": ("农民工", "rural worker"),
    "rural-contract": ("农民合同工", "rural contract worker"),
    "out-of-town": ("外埠人员", "from out of town"),
    "foreign": ("外籍人员", "foreigner"),
}
_EMPLOYERS: Final = {
    "urban-enterprise": ("城镇企业", "urban enterprise"),
    "household": ("个体工商户", "individual household business"),
    "township-enterprise": ("地处乡镇的企业", "enterprise in a township"),
    "other": ("机关、事业单位等", "neither an enterprise nor a household business"),
    "none": ("无用人单位", "no employer"),
}
_IN_SCOPE: Final = {
    "must-join": ("应当参加", "must join"),
    "not-by-employment": ("不因用人单位参保", "not by employment"),
    "outside-clause": ("不在本条范围", "outside the clause"),
}
_BY_WORKER: Final = {
    "urban": "O12",
    "rural": "O74",
    "rural-contract": "O76",
    "out-of-town": "O74",
    "foreign": "O74",
}


def _in_scope(case: Case) -> Answer:
    (employer,) = case.need("employer")
    if employer == "none":
        return Answer(
            "not-by-employment",
            "没有用人单位：可按自由职业者办法参保",
            "No employer: to join by the freelancers' way",
        )
    if employer == "other":
        return Answer(
            "outside-clause",
            "本条只及城镇企业、个体工商户和地处乡镇的企业",
            "The clause speaks of urban enterprises, household businesses and those in townships",
        )
    (worker,) = case.need("worker")
    clauses: tuple[str, ...] = (_BY_WORKER[worker],)
    if employer == "township-enterprise":
        clauses = ("O75", *clauses)
    who, where = _WORKERS[worker], _EMPLOYERS[employer]
    return Answer(
        "must-join",
        f"{where[0]}的{who[0]}应当参加城镇企业职工基本养老保险社会统筹",
        f"{who[1]}, {where[1]}: must join the pool of urban enterprises",
        clauses=clauses,
    )


IN_SCOPE: Final = Rule(
    "in-scope",
    1,
    "参保范围",
    "Who must join by employment",
    ("O74", "O75", "O76"),
    (
        Input("employer", "code", "用人单位", "employer", _EMPLOYERS),
        Input("worker", "code", "人员", "worker", _WORKERS, needed=False),
    ),
    _IN_SCOPE,
    _in_scope,
    bound=True,
)


_PATH: Final = {
    "path-offered": ("可以自由职业者身份接续", "may continue as a freelancer"),
    "path-not-offered": ("本条不适用", "this clause offers no path"),
}


def _freelancer_path(case: Case) -> Answer:
    interrupted, collective = case.get("payment_interrupted"), case.get("collective_unenrolled")
    if interrupted or collective:
        why = ("中断缴费", "payment was interrupted") if interrupted else (
            "所在集体企业未参保", "the collective enterprise is not enrolled")  # fmt: skip
        return Answer(
            "path-offered",
            f"{why[0]}：允许以自由职业者身份参保缴费接续养老保险关系",
            f"{why[1]}: may join and pay as a freelancer to continue",
        )
    case.need("payment_interrupted", "collective_unenrolled")
    return Answer(
        "path-not-offered",
        "既非中断缴费，也不属未参保集体企业",
        "Payment was not interrupted, nor is it an unenrolled collective enterprise",
    )


FREELANCER_PATH: Final = Rule(
    "freelancer-path",
    1,
    "以自由职业者身份接续",
    "Continuing as a freelancer",
    ("O77",),
    (
        Input("payment_interrupted", "flag", "是否中断缴费", "payment interrupted", needed=False),
        Input(
            "collective_unenrolled",
            "flag",
            "是否属未参保的集体企业",
            "of an unenrolled collective enterprise",
            needed=False,
        ),
    ),
    _PATH,
    _freelancer_path,
    bound=True,
)


REASONS: Final = "refusal-reasons"
FORBIDDEN: Final = "forbidden-refusals"
"""The plan's lists, the same that an application in the register is refused by: what is a reason,
and for what nobody may be refused (O82)."""
_REFUSAL: Final = {
    "must-accept": ("应当接收", "must be accepted"),
    "refusal-forbidden": ("不得拒绝", "refusing is forbidden"),
    "not-forbidden": ("不属禁止理由", "not among the forbidden reasons"),
    "outside-clause": ("不在本条范围", "outside the clause"),
}


def _refusal(case: Case) -> Answer:
    reason = case.get("reason")
    forbidden = None if reason is None else case.plan.find_code(FORBIDDEN, reason)
    if forbidden is not None:
        return Answer(
            "refusal-forbidden",
            f"不得以“{forbidden.zh}”为由拒绝接收",
            f"Must not be refused for: {forbidden.en}",
            clauses=("O82",),
        )
    (insured,) = case.need("insured_in_province")
    if not insured:
        return Answer(
            "outside-clause",
            "本条只及省内其他城市的已参保人员",
            "The clause speaks of persons insured in another city of the province",
            clauses=("O81",),
        )
    if reason is None:
        return Answer(
            "must-accept",
            "省内转入的已参保人员按规定接续",
            "Insured in another city of the province: the relation is continued",
            clauses=("O81",),
        )
    other = case.plan.find_code(REASONS, reason)
    zh, en = (reason, reason) if other is None else (other.zh, other.en)
    return Answer(
        "not-forbidden",
        f"“{zh}”不在所列理由之内；条文有“等”字，由经办机构核定",
        f"Not among the reasons named: {en}. The list is open (等), so the agency must judge",
    )


REFUSAL: Final = Rule(
    "transfer-refusal",
    2,
    "转入接续与拒绝理由",
    "Transfers in, and refusing them",
    ("O81", "O82"),
    (
        Input(
            "insured_in_province",
            "flag",
            "是否省内其他城市已参保人员",
            "insured in another city of the province",
            needed=False,
        ),
        Input(
            "reason",
            "code",
            "拒绝理由",
            "reason for refusing",
            needed=False,
            lists=(FORBIDDEN, REASONS),
        ),
    ),
    _REFUSAL,
    _refusal,
    bound=True,
)
