"""Each number is judged by its standard; a wrong check digit is named; nothing is repaired."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.identifiers import (
    CheckError,
    Problem,
    check_identity_no,
    check_org_code,
    check_reg_no,
    check_tax_no,
    check_uscc,
    employer_key,
    identity_18_from_15,
    identity_birth_on,
    identity_sex,
    make_identity_no,
    make_org_code,
    make_reg_no,
    make_uscc,
    org_code_from_tax_no,
    org_code_from_uscc,
    owner_identity_from_tax_no,
)

WORKER = "210502196001019851"
"""Made, with a sequence number that is not issued; in a district younger than its bearer."""

ORG_CHARS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
USCC_CHARS = "0123456789ABCDEFGHJKLMNPQRTUWXY"

org_codes = st.text(ORG_CHARS, min_size=8, max_size=8).map(make_org_code)
usccs = st.text(USCC_CHARS, min_size=8, max_size=8).map(
    lambda body: make_uscc("210502", make_org_code(body))
)
reg_nos = st.text("0123456789", min_size=14, max_size=14).map(make_reg_no)
identity_nos = st.builds(
    make_identity_no,
    st.sampled_from(["210502", "210511", "110105", "440524", "820000"]),
    st.dates(date(1880, 1, 1), date(2008, 12, 31)),
    st.integers(0, 999),
)


def code_of(problem: Problem | None) -> str | None:
    return problem.code if problem is not None else None


def changed(number: str, position: int, alphabet: str, step: int) -> str:
    """The number with one character replaced by another of the alphabet."""
    old = alphabet.index(number[position])
    new = alphabet[(old + 1 + step % (len(alphabet) - 1)) % len(alphabet)]
    return number[:position] + new + number[position + 1 :]


class TestOrgCode:
    @pytest.mark.parametrize("code", ["D2143569X", "401705300", "734213478", "PDY001012"])
    def test_right(self, code: str) -> None:
        assert check_org_code(code) is None

    @pytest.mark.parametrize(
        ("code", "problem"),
        [
            ("D21435691", Problem("check_digit", "X")),
            ("D2143569-X", Problem("length", "9")),
            ("d2143569X", Problem("characters", "0-9 A-Z ×8, 0-9 X")),
            ("D2143569A", Problem("characters", "0-9 A-Z ×8, 0-9 X")),
            ("Ｄ2143569X", Problem("characters", "0-9 A-Z ×8, 0-9 X")),
            ("", Problem("length", "9")),
        ],
    )
    def test_wrong(self, code: str, problem: Problem) -> None:
        assert check_org_code(code) == problem

    def test_the_right_digit_is_named_in_both_languages(self) -> None:
        problem = check_org_code("401705306")
        assert problem is not None
        assert problem.en == "check digit should be 0"
        assert problem.zh == "校验码应为 0"

    @given(org_codes, st.integers(0, 7), st.integers(0, 8))
    def test_a_changed_digit_is_caught(self, code: str, position: int, step: int) -> None:
        # Letters stand for values above 10, so only digits are sure to differ modulo 11.
        if code[position].isdigit():
            wrong = changed(code, position, "0123456789", step)
            assert code_of(check_org_code(wrong)) == "check_digit"

    @given(org_codes, st.integers(0, 9))
    def test_a_changed_check_character_is_caught(self, code: str, step: int) -> None:
        wrong = changed(code, 8, "0123456789X", step)
        assert check_org_code(wrong) == Problem("check_digit", code[8])


class TestUscc:
    @pytest.mark.parametrize("code", ["91110000600037341L", "91210500738791558F"])
    def test_right(self, code: str) -> None:
        assert check_uscc(code) is None

    @pytest.mark.parametrize(
        ("code", "problem"),
        [
            ("91210500738791558G", Problem("check_digit", "F")),
            ("9121050073879155F", Problem("length", "18")),
            ("91210500738791I58F", Problem("characters", "0-9 A-Y without I O S V (3-8: 0-9)")),
            ("9121A500738791558F", Problem("characters", "0-9 A-Y without I O S V (3-8: 0-9)")),
            ("01210500738791558F", Problem("authority")),
            ("97210500738791558F", Problem("authority")),
            ("91990500738791558F", Problem("division", "11-65, 71, 81-83, 91")),
        ],
    )
    def test_wrong(self, code: str, problem: Problem) -> None:
        assert check_uscc(code) == problem

    def test_the_code_inside_is_judged_too(self) -> None:
        problem = check_uscc("91210500738791557C")
        assert problem == Problem("org_check_digit", "8")

    def test_authorities_are_a_parameter(self) -> None:
        assert code_of(check_uscc("91210500738791558F", frozenset("5"))) == "authority"

    @given(usccs, st.integers(8, 16), st.integers(0, 30))
    def test_a_changed_character_is_caught(self, code: str, position: int, step: int) -> None:
        wrong = changed(code, position, USCC_CHARS, step)
        assert check_uscc(wrong) is not None

    @given(usccs)
    def test_the_organisation_code_comes_out(self, code: str) -> None:
        assert org_code_from_uscc(code) == code[8:17]


class TestRegNo:
    @pytest.mark.parametrize(
        "number",
        ["310117003171688", "430524600099555", "2105001234567", "企独辽本总字第000123号"],
    )
    def test_right(self, number: str) -> None:
        assert check_reg_no(number) is None

    @pytest.mark.parametrize(
        ("number", "problem"),
        [
            ("310117003171689", Problem("check_digit", "8")),
            ("31011700317168", Problem("length", "15 / 13")),
            ("31011700317168X", Problem("characters", "0-9")),
            ("无", Problem("characters", "0-9")),
        ],
    )
    def test_wrong(self, number: str, problem: Problem) -> None:
        assert check_reg_no(number) == problem

    @given(reg_nos, st.integers(0, 14), st.integers(0, 8))
    def test_a_changed_digit_is_caught(self, number: str, position: int, step: int) -> None:
        wrong = changed(number, position, "0123456789", step)
        assert code_of(check_reg_no(wrong)) == "check_digit"


class TestIdentityNo:
    @pytest.mark.parametrize(
        "number", ["11010519491231002X", "440524188001010014", WORKER, "210500720229985"]
    )
    def test_right(self, number: str) -> None:
        assert check_identity_no(number, date(2008, 7, 31)) is None

    @pytest.mark.parametrize(
        ("number", "problem"),
        [
            ("110105194912310021", Problem("check_digit", "X")),
            ("11010519491231002x", Problem("characters", "0-9 (18: 0-9 X)")),
            ("1101051949123100２X", Problem("characters", "0-9 (18: 0-9 X)")),
            ("21050072022998X", Problem("characters", "0-9")),
            ("2105001972022998", Problem("length", "18 / 15")),
            ("210500197202309857", Problem("birth_date")),
            ("210500730229985", Problem("birth_date")),
            ("210500000001019857", Problem("birth_date")),
            ("990500197202299855", Problem("division", "11-65, 71, 81-83, 91")),
        ],
    )
    def test_wrong(self, number: str, problem: Problem) -> None:
        assert check_identity_no(number) == problem

    def test_a_birth_after_the_day_of_the_check(self) -> None:
        born = make_identity_no("210500", date(2008, 6, 10), 985)
        assert check_identity_no(born, date(2008, 6, 10)) is None
        assert check_identity_no(born, date(2008, 6, 9)) == Problem("future_birth")
        assert check_identity_no(born) is None

    @given(identity_nos, st.integers(14, 16), st.integers(0, 8))
    def test_a_changed_digit_is_caught(self, number: str, position: int, step: int) -> None:
        wrong = changed(number, position, "0123456789", step)
        assert code_of(check_identity_no(wrong)) == "check_digit"

    @given(identity_nos, st.integers(0, 16), st.integers(0, 8))
    def test_a_change_anywhere_is_refused(self, number: str, position: int, step: int) -> None:
        assert check_identity_no(changed(number, position, "0123456789", step)) is not None

    @given(identity_nos, st.integers(0, 15))
    def test_exchanged_neighbours_are_caught(self, number: str, position: int) -> None:
        first, second = number[position], number[position + 1]
        exchanged = number[:position] + second + first + number[position + 2 :]
        assert first == second or check_identity_no(exchanged) is not None

    def test_birth_and_sex(self) -> None:
        assert identity_birth_on(WORKER) == date(1960, 1, 1)
        assert identity_sex(WORKER) == "M"
        assert identity_birth_on("210500720229985") == date(1972, 2, 29)
        assert identity_sex("210500720229984") == "F"

    def test_both_forms_of_one_person_meet(self) -> None:
        assert identity_18_from_15("210502600101985") == WORKER

    def test_no_15_digits(self) -> None:
        with pytest.raises(CheckError, match="birth date") as caught:
            identity_18_from_15("210500730229985")
        assert caught.value.problem == Problem("birth_date")
        with pytest.raises(CheckError, match="length"):
            identity_18_from_15(WORKER)


class TestTaxNo:
    @pytest.mark.parametrize(
        "number",
        [
            "210500734213478",
            "210504PDY001012",
            WORKER + "00",
            "210502600101985" + "00000",
            "91210500738791558F",
        ],
    )
    def test_right(self, number: str) -> None:
        assert check_tax_no(number) is None

    @pytest.mark.parametrize(
        ("number", "problem"),
        [
            ("210500734213479", Problem("org_check_digit", "8")),
            ("2.10504E+14", Problem("length", "15 / 20 / 18")),
            ("990500734213478", Problem("division", "11-65, 71, 81-83, 91")),
            (WORKER + "01", Problem("owner_suffix")),
            (WORKER[:17] + "200", Problem("check_digit", "1")),
            ("210502609901985" + "00000", Problem("birth_date")),
        ],
    )
    def test_wrong(self, number: str, problem: Problem) -> None:
        assert check_tax_no(number) == problem

    def test_an_owner_not_yet_born(self) -> None:
        number = make_identity_no("210502", date(2030, 1, 1), 985) + "00"
        assert check_tax_no(number, date(2008, 6, 1)) == Problem("future_birth")

    def test_the_organisation_code_comes_out(self) -> None:
        assert org_code_from_tax_no("210504PDY001012") == "PDY001012"
        assert org_code_from_tax_no("91210500738791558F") == "738791558"
        assert org_code_from_tax_no("210500734213479") is None
        assert org_code_from_tax_no(WORKER + "00") is None

    def test_the_owner_comes_out_in_one_form(self) -> None:
        assert owner_identity_from_tax_no(WORKER + "00") == WORKER
        assert owner_identity_from_tax_no("210502600101985" + "00000") == WORKER
        assert owner_identity_from_tax_no("210504PDY001012") is None
        assert owner_identity_from_tax_no(WORKER[:17] + "200") is None

    @given(identity_nos)
    @example("210502190105021000")  # its first 15 digits make a valid first card (1919-01-05)
    def test_an_identity_number_ending_in_000_is_not_cut(self, number: str) -> None:
        assert owner_identity_from_tax_no(number + "00") == number


class TestEmployerKey:
    def test_the_first_known_wins(self) -> None:
        owner = "v1-" + "a" * 26
        assert employer_key("PDY001012", "310117003171688", owner, "7:1") == "oc:PDY001012"
        assert employer_key(None, "310117003171688", owner, "7:1") == "lic:310117003171688"
        assert employer_key("", "", owner, "7:1") == f"own:{owner}"
        assert employer_key(record="7:1") == "rec:7:1"

    def test_no_identity_number_becomes_a_key(self) -> None:
        with pytest.raises(ValueError, match="keyed hash"):
            employer_key(owner_hash=WORKER)

    def test_nothing_known(self) -> None:
        with pytest.raises(ValueError, match="needs"):
            employer_key()


class TestMade:
    def test_parts_that_make_no_number(self) -> None:
        born = date(1960, 1, 1)
        makes: list[Callable[[], str]] = [
            lambda: make_org_code("pdy00101"),
            lambda: make_reg_no("2105"),
            lambda: make_uscc("210502", make_org_code("IOZSV001")),
            lambda: make_uscc("210502", "PDY001013"),
            lambda: make_identity_no("2105", born, 980),
            lambda: make_identity_no("210502", born, 1000),
        ]
        for make in makes:
            with pytest.raises(CheckError):
                make()
