"""The batch and the single check agree on every value, right, wrong or not a number at all."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from shared.identifiers import (
    check_identity_no,
    check_org_code,
    check_reg_no,
    check_tax_no,
    check_uscc,
    make_identity_no,
    make_org_code,
    make_reg_no,
    make_uscc,
)
from shared.identifiers.batch import (
    identity_check_batch,
    identity_problems,
    org_code_check_batch,
    org_code_problems,
    reg_no_problems,
    tax_no_problems,
    uscc_problems,
)
from shared.identifiers.check_digits import uscc_check

AS_OF = date(2008, 7, 31)

births = st.dates(date(1880, 1, 1), date(2030, 12, 31))
sequences = st.integers(0, 999)
divisions = st.sampled_from(["210502", "110105", "990000", "820000", "210599", "219902"])
identity_nos = st.builds(make_identity_no, divisions, births, sequences)
first_cards = identity_nos.map(lambda number: number[:6] + number[8:17])
org_codes = st.text("0123456789ABXYZ", min_size=8, max_size=8).map(make_org_code)
usccs = st.text("0123456789ABXY", min_size=8, max_size=8).map(
    lambda body: make_uscc("210502", make_org_code(body))
)
reg_nos = st.text("0123456789", min_size=14, max_size=14).map(make_reg_no)
tax_nos = st.one_of(
    st.builds(str.__add__, divisions, org_codes),
    identity_nos.map(lambda number: number + "00"),
    first_cards.map(lambda number: number + "00000"),
    usccs,
)


@st.composite
def damaged(draw: st.DrawFn, numbers: st.SearchStrategy[str]) -> str:
    """A number as it is, or with one character replaced, taken out or put in."""
    number = draw(numbers)
    position = draw(st.integers(0, len(number) - 1))
    char = draw(st.sampled_from("0123456789X?xA-＋日\ud800\x00"))
    return draw(
        st.sampled_from(
            [
                number,
                number[:position] + char + number[position + 1 :],
                number[:position] + number[position + 1 :],
                number[:position] + char + number[position:],
                "",
            ]
        )
    )


class TestProblems:
    @given(st.lists(damaged(org_codes)))
    def test_org_codes(self, values: list[str]) -> None:
        assert org_code_problems(values) == [check_org_code(v) for v in values]

    @given(st.lists(damaged(usccs)))
    def test_usccs(self, values: list[str]) -> None:
        assert uscc_problems(values) == [check_uscc(v) for v in values]

    def test_usccs_wrong_inside_a_right_check_character(self) -> None:
        bodies = ["9121050073879155", "0121050073879155", "9721050073879155", "9199050073879155"]
        values = [f"{body}{inner}" for body in bodies for inner in "78X"]
        values = [value + uscc_check(value) for value in values]
        problems = uscc_problems(values)
        assert problems == [check_uscc(v) for v in values]
        assert [value for value, problem in zip(values, problems, strict=True) if not problem] == [
            "91210500738791558F"
        ]

    @given(st.lists(damaged(reg_nos)))
    def test_reg_nos(self, values: list[str]) -> None:
        assert reg_no_problems(values) == [check_reg_no(v) for v in values]

    @given(st.lists(damaged(st.one_of(identity_nos, first_cards))))
    def test_identity_nos(self, values: list[str]) -> None:
        assert identity_problems(values) == [check_identity_no(v) for v in values]
        assert identity_problems(values, AS_OF) == [check_identity_no(v, AS_OF) for v in values]

    @given(st.lists(damaged(tax_nos)))
    def test_tax_nos(self, values: list[str]) -> None:
        assert tax_no_problems(values, AS_OF) == [check_tax_no(v, AS_OF) for v in values]

    def test_impossible_days_and_leap_years(self) -> None:
        days = ["19000229", "20000229", "19010229", "19040229", "19600431", "19601301", "19600100"]
        values = [f"210502{day}985{check}" for day in days for check in "0123456789X"]
        assert identity_problems(values) == [check_identity_no(v) for v in values]


class TestCheckBatch:
    def test_org_codes(self) -> None:
        values = ["D2143569X", "D21435691", "D2143569-X", "日2143569X"]
        assert org_code_check_batch(values) == [None, "X", "", ""]

    def test_identity_nos(self) -> None:
        values = [
            "11010519491231002X",
            "110105194912310021",
            "210500720229985",
            "21050019720230985?",
        ]
        assert identity_check_batch(values) == [None, "X", None, ""]

    def test_births_to_come(self) -> None:
        unborn = make_identity_no("210502", date(2030, 1, 1), 985)
        assert identity_check_batch([unborn], AS_OF) == [""]
        assert identity_check_batch([unborn]) == [None]

    def test_nothing(self) -> None:
        assert org_code_check_batch([]) == []
        assert identity_check_batch([]) == []
