"""What a valid number tells of its bearer: parts, kinds, and a cross-check that is only a note.

Sources: GB 32100-2015 for the 18-character code; for the 7th digit of a licence number two public
pages that agree, no standard text, so it never refuses anything.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

from shared.identifiers.divisions import WHOLE_STATE, division_standing
from shared.identifiers.employers import check_reg_no, check_uscc
from shared.identifiers.problem import CheckError

LicenceKind: TypeAlias = Literal["15-digit", "13-digit", "text", "uscc"]


class UsccParts(NamedTuple):
    """The parts of an 18-character code."""

    authority: str
    """Registering authority: 1 编制, 5 民政, 9 工商, Y other; of the later list 2 3 4 6 7 8 A N."""
    kind: str
    """Under 9: 1 enterprise, 2 individual household, 3 farmers' cooperative."""
    division: str
    """Where it was first registered; it does not follow a firm that moves."""
    org_code: str
    """Nine characters."""


def uscc_parts(uscc: str) -> UsccParts:
    """The parts of a valid 18-character code; CheckError for any other."""
    problem = check_uscc(uscc)
    if problem is not None:
        raise CheckError(problem)
    return UsccParts(uscc[0], uscc[1], uscc[2:8], uscc[8:17])


def licence_kind(number: str) -> LicenceKind:
    """Which of the forms a valid licence number has; CheckError for one that has none."""
    if len(number) == 18 and check_uscc(number) is None:
        return "uscc"
    problem = check_reg_no(number)
    if problem is not None:
        raise CheckError(problem)
    if not number.isascii():
        return "text"
    return "15-digit" if len(number) == 15 else "13-digit"


def identity_division(number: str) -> str:
    """The six division digits of a valid identity number: where its bearer was first entered, at
    that time (210511 is 立新区 of 1983). It is not where the person lives now."""
    return number[:6]


class Note(NamedTuple):
    """Something to look at that is no fault."""

    code: Literal["licence-and-type-differ", "division-unknown"]
    zh: str
    en: str


def division_of(kind: str, number: str) -> str | None:
    """The six division digits of a valid number in its normal form; None where it has none. Those
    of a registration number name an office, which need not be a division's."""
    if kind == "identity-no" or (kind == "tax-no" and len(number) != 18):
        return number[:6]
    has_code = len(number) == 18 and kind in ("uscc", "tax-no", "licence-no")
    return number[2:8] if has_code and number.isascii() else None


def division_note(kind: str, number: str) -> Note | None:
    """A note where the division in a valid number never existed, by any edition since 1980; of a
    person's, where its county did not (another is refused). Never a refusal: offices of tax and
    registration have had codes of their own, and editions may lack one."""
    division = division_of(kind, number)
    if division is None or division == WHOLE_STATE or division_standing(division) == "known":
        return None
    return Note(
        "division-unknown",
        f"行政区划代码 {division} 不见于1980年以来各版",
        f"no edition since 1980 has the division {division}",
    )


_CLASSES: Final = {
    "0": ("国有、集体、股份合作、联营企业", "state, collective, cooperative or joint", "1"),
    "1": ("国有或法人控股公司", "company under the state or legal persons", "1"),
    "2": ("自然人控股公司", "company under natural persons", "1"),
    "3": ("个人独资、合伙企业、农民专业合作社", "sole proprietor, partnership, cooperative", "1"),
    "4": ("外商投资企业", "foreign-invested", "23"),
    "5": ("外商投资企业", "foreign-invested", "23"),
    "6": ("个体工商户", "individual household", "4"),
    "7": ("个体工商户(预留)", "individual household (reserved)", "4"),
    "8": ("个体工商户(预留)", "individual household (reserved)", "4"),
    "9": ("个体工商户(预留)", "individual household (reserved)", "4"),
}
"""7th digit of a 15-digit number → what it says, and first digits of 国统字〔1998〕200号."""


def licence_note(number: str, reg_type: str | None) -> Note | None:
    """A note where a 15-digit licence number's 7th digit and the registration type (three digits)
    speak of different kinds of business: domestic, foreign, household. Never a refusal."""
    if not reg_type or len(number) != 15 or check_reg_no(number) is not None:
        return None
    zh, en, types = _CLASSES[number[6]]
    if reg_type[0] in types:
        return None
    return Note(
        "licence-and-type-differ",
        f"注册号第7位表示{zh}，登记注册类型为 {reg_type}",
        f"the licence number's 7th digit says {en}, the registration type is {reg_type}",
    )
