"""The one front: every kind read, repaired where certain, refused with a reason otherwise."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.identifiers import (
    CheckError,
    Kind,
    Problem,
    Reading,
    division_standing,
    identity_birth_on,
    identity_division,
    identity_sex,
    licence_kind,
    licence_note,
    make_identity_no,
    make_org_code,
    make_reg_no,
    make_uscc,
    passport_key_text,
    person_key_text,
    read,
    uscc_parts,
)
from shared.identifiers.batch_reading import read_others

ORG = make_org_code("PDY00101")
USCC = make_uscc("210502", make_org_code("PDY00101".replace("P", "M")))
LICENCE = make_reg_no("21050000000101")
PERSON = make_identity_no("210511", date(1960, 1, 1), 985)
OLD_PERSON = PERSON[:6] + PERSON[8:17]
TAX = "210502" + ORG
OWNER_TAX = PERSON + "00"
ABROAD = make_identity_no("910502", date(1960, 1, 1), 985)
NOWHERE = make_identity_no("210599", date(1960, 1, 1), 985)
"""Of a county no edition has."""

WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})

Step = tuple[str, ...]


@pytest.mark.parametrize(
    ("kind", "text", "normal", "rules"),
    [
        ("org-code", ORG, ORG, ()),
        ("org-code", f"{ORG[:8]}-{ORG[8]}", ORG, ("marks",)),
        ("org-code", f" {ORG.lower()} ", ORG, ("spaces", "upper-case")),
        ("org-code", "ｄ２１４３５６９－ｘ", "D2143569X", ("full-width", "upper-case", "marks")),
        ("identity-no", " 11010519491231002x", "11010519491231002X", ("spaces", "upper-case")),
        ("org-code", f"{ORG[:8]}－{ORG[8]}".translate(WIDE), ORG, ("full-width", "marks")),
        ("uscc", f"{USCC[:8]} {USCC[8:]}", USCC, ("spaces",)),
        ("uscc", "\ufeff" + USCC.lower(), USCC, ("full-width", "upper-case")),
        ("licence-no", LICENCE, LICENCE, ()),
        ("licence-no", USCC, USCC, ()),
        ("licence-no", "2105001001234", "2105001001234", ()),
        ("licence-no", "企独辽本总字第０００１２３号", "企独辽本总字第000123号", ("full-width",)),
        ("tax-no", TAX, TAX, ()),
        ("tax-no", f"{TAX[:6]}-{TAX[6:]}", TAX, ("marks",)),
        ("tax-no", OWNER_TAX, OWNER_TAX, ()),
        ("tax-no", OLD_PERSON + "00000", OLD_PERSON + "00000", ()),
        ("identity-no", PERSON, PERSON, ()),
        ("identity-no", OLD_PERSON, PERSON, ("eighteen-digits",)),
        (
            "identity-no",
            f"{OLD_PERSON[:6]} {OLD_PERSON[6:]}".translate(WIDE),
            PERSON,
            ("full-width", "spaces", "eighteen-digits"),
        ),
        ("passport-no", "m1234 5678", "M12345678", ("spaces", "upper-case")),
        ("travel-permit-no", "h12345678", "H12345678", ("upper-case",)),
        ("travel-permit-no", "12345678", "12345678", ()),
        ("residence-permit-no", "KOR 110000190101", "KOR110000190101", ("spaces",)),
    ],
)
def test_certain_repairs_are_made_and_told(kind: Kind, text: str, normal: str, rules: Step) -> None:
    reading = read(kind, text)
    assert (reading.normal, reading.problem) == (normal, None)
    assert tuple(repair.rule for repair in reading.repairs) == rules
    sides = [text, *(repair.after for repair in reading.repairs)]
    assert [repair.before for repair in reading.repairs] == sides[:-1]
    assert sides[-1] == normal


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        ("org-code", ORG[:8] + ("1" if ORG[8] != "1" else "2"), "check_digit"),
        ("org-code", ORG[:8], "length"),
        ("org-code", "PDYOO101" + ORG[8], "check_digit"),
        ("uscc", USCC[:17] + ("1" if USCC[17] != "1" else "2"), "check_digit"),
        ("uscc", "0" + USCC[1:], "authority"),
        ("licence-no", LICENCE[:14] + str((int(LICENCE[14]) + 1) % 10), "check_digit"),
        ("licence-no", "2105", "length"),
        ("licence-no", "本溪字123号", "characters"),
        ("tax-no", "990502" + ORG, "division"),
        ("tax-no", PERSON + "11", "owner_suffix"),
        ("identity-no", "2105O2" + PERSON[6:], "characters"),
        ("identity-no", PERSON[:17], "length"),
        ("identity-no", make_identity_no("990502", date(1960, 1, 1), 985), "division"),
        ("identity-no", make_identity_no("219902", date(1960, 1, 1), 985), "division_never"),
        ("tax-no", make_identity_no("219902", date(1960, 1, 1), 985) + "00", "division_never"),
        ("passport-no", "ABCDE", "characters"),
        ("passport-no", "A1", "length"),
        ("travel-permit-no", "H1234567", "length"),
        ("travel-permit-no", "A12345678", "length"),
        ("travel-permit-no", "H1234567A", "characters"),
        ("residence-permit-no", "KOR12345678901", "length"),
        ("residence-permit-no", "KO1123456789012", "characters"),
    ],
)
def test_what_is_left_wrong_is_refused_with_its_reason(kind: Kind, text: str, code: str) -> None:
    reading = read(kind, text)
    assert reading.normal is None
    assert reading.repairs == ()
    assert reading.problem is not None
    assert reading.problem.code == code
    assert reading.problem.zh
    assert text not in reading.problem.en + reading.problem.zh


def test_births_lie_before_the_day_of_the_check() -> None:
    assert read("identity-no", PERSON, date(1960, 1, 1)).normal == PERSON
    assert read("identity-no", PERSON, date(1959, 12, 31)).problem == Problem("future_birth")
    assert read("tax-no", OWNER_TAX, date(1959, 12, 31)).problem == Problem("future_birth")


def test_a_division_of_former_days_is_told() -> None:
    assert identity_division(PERSON) == "210511"
    assert identity_birth_on(PERSON) == date(1960, 1, 1)
    assert identity_sex(PERSON) == "M"


def test_an_18_character_code_has_its_parts() -> None:
    assert uscc_parts(USCC) == ("9", "1", "210502", USCC[8:17])
    with pytest.raises(CheckError):
        uscc_parts(USCC[:17])


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (LICENCE, "15-digit"),
        ("2105001001234", "13-digit"),
        ("企独辽本总字第000123号", "text"),
        (USCC, "uscc"),
    ],
)
def test_licence_numbers_are_told_apart(number: str, kind: str) -> None:
    assert licence_kind(number) == kind


def test_a_licence_number_that_is_none_has_no_kind() -> None:
    with pytest.raises(CheckError):
        licence_kind("12")


@pytest.mark.parametrize(
    ("seventh", "reg_type", "noted"),
    [
        ("0", "110", False),
        ("2", "173", False),
        ("4", "310", False),
        ("5", "230", False),
        ("6", "410", False),
        ("6", "173", True),
        ("2", "410", True),
        ("4", "110", True),
    ],
)
def test_licence_and_registration_type_are_cross_checked(
    seventh: str, reg_type: str, noted: bool
) -> None:
    note = licence_note(make_reg_no(f"210500{seventh}0000101"), reg_type)
    assert (note is not None) == noted
    if note:
        assert reg_type in note.zh
        assert reg_type in note.en


def test_other_licences_and_unknown_types_have_no_note() -> None:
    assert licence_note("2105001001234", "410") is None
    assert licence_note(LICENCE, None) is None


def test_passports_of_two_states_are_two_persons() -> None:
    assert passport_key_text("KOR", "M12345678") == "passport:KOR:M12345678"
    assert passport_key_text("JPN", "M12345678") != passport_key_text("KOR", "M12345678")
    for country, number in (("KR", "M12345678"), ("KOR", "m12345678")):
        with pytest.raises(CheckError):
            passport_key_text(country, number)


KINDS: tuple[Kind, ...] = (
    *("org-code", "uscc", "licence-no", "tax-no", "identity-no"),
    *("passport-no", "travel-permit-no", "residence-permit-no"),
)
PRINTED = f"{ORG[:8]}-{ORG[8]}"
NUMBERS = (
    ORG,
    USCC,
    LICENCE,
    TAX,
    OWNER_TAX,
    PERSON,
    OLD_PERSON,
    ABROAD,
    NOWHERE,
    "M12345678",
    PRINTED,
)


@pytest.mark.parametrize(
    ("code", "standing"),
    [
        ("210502", "known"),  # 平山区, and from before 1983 on
        ("210504", "known"),  # 明山区 of 1983
        ("210511", "known"),  # 立新区, gone in 1984
        ("210521", "known"),  # 本溪县, then 本溪满族自治县
        ("210522", "known"),  # 桓仁县, then 桓仁满族自治县
        ("210500", "known"),  # the city office
        ("210000", "known"),
        ("429004", "known"),  # 仙桃市, held by the province directly
        ("460036", "known"),  # of Hainan, a province since 1988
        ("810101", "known"),  # nothing below Hong Kong is listed
        ("210599", "county-unknown"),
        ("219902", "prefecture-unknown"),
        ("990502", "province-unknown"),
        ("21050A", "province-unknown"),
    ],
)
def test_a_division_is_judged_by_whether_it_ever_existed(code: str, standing: str) -> None:
    assert division_standing(code) == standing


def test_a_county_no_edition_has_is_noted_and_not_refused() -> None:
    reading = read("identity-no", NOWHERE)
    assert (reading.normal, reading.problem) == (NOWHERE, None)
    assert reading.note is not None
    assert reading.note.code == "division-unknown"
    assert "210599" in reading.note.zh
    assert read("identity-no", PERSON).note is None
    assert read("identity-no", ABROAD).note is None


def test_a_firms_office_may_have_a_code_of_its_own() -> None:
    assert read("tax-no", "219902" + ORG).problem is None
    assert read("tax-no", "219902" + ORG).note is not None
    state = make_uscc("100000", make_org_code("MDY00101"))
    assert read("uscc", state) == (state, None, (), None)


def test_a_travel_permit_renewed_is_the_same_persons() -> None:
    first, second = (person_key_text("travel-permit", f"H12345678{issue}") for issue in ("", "02"))
    assert first == second == "travel-permit:H12345678"
    assert person_key_text("identity-card", PERSON) == PERSON
    assert person_key_text("passport", "M12345678", "KOR") == "passport:KOR:M12345678"


@settings(max_examples=60)
@given(
    st.sampled_from(KINDS),
    st.sampled_from(NUMBERS),
    st.lists(st.sampled_from([" ", "-", "\u3000", "\ufeff", "lower", "wide"]), max_size=4),
    st.integers(0, 20),
)
def test_reading_a_normal_form_changes_nothing(
    kind: Kind, number: str, noise: list[str], at: int
) -> None:
    for one in noise:
        if one == "lower":
            number = number.lower()
        elif one == "wide":
            number = number.translate(WIDE)
        else:
            number = number[:at] + one + number[at:]
    reading = read(kind, number)
    assert (reading.normal is None) == (reading.problem is not None)
    if reading.normal is not None:
        assert read(kind, reading.normal) == (reading.normal, None, (), reading.note)


@settings(max_examples=150)
@given(
    st.sampled_from(KINDS),
    st.lists(
        st.none()
        | st.builds(
            lambda number, noise: number[: len(noise) * 3] + noise + number[len(noise) * 3 :],
            st.sampled_from(NUMBERS),
            st.sampled_from(["", "", "", " ", "-", "x", "０"]),
        ),
        max_size=8,
    ),
)
@example("org-code", [PRINTED, None, ORG, PRINTED[:9]])
@example("identity-no", [OLD_PERSON, PERSON, NOWHERE[:6] + NOWHERE[8:17], "21050２700101985"])
def test_a_batch_reads_as_each_number_does(kind: Kind, values: list[str | None]) -> None:
    day = date(1960, 1, 1)
    others = read_others(kind, values, day)
    for at, value in enumerate(values):
        if value is None:
            assert at not in others
        else:
            assert others.get(at, Reading(value, None)) == read(kind, value, day)
