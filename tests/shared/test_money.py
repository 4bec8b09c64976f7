"""Amounts are exact to the fen; forms round half up; an empty figure is not 0."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.money import MAX_FEN, MoneyError, fen_from_yuan, percent, wan_yuan, yuan

amounts = st.integers(-MAX_FEN, MAX_FEN)


class TestFenFromYuan:
    @pytest.mark.parametrize(
        ("value", "fen"),
        [
            ("125000.00", 12_500_000),
            ("125000", 12_500_000),
            ("-3.5", -350),
            ("0.05", 5),
            ("-0.00", 0),
            (Decimal("0.1"), 10),
            (Decimal("1.2E+4"), 1_200_000),
            (12, 1200),
        ],
    )
    def test_exact(self, value: str | Decimal | int, fen: int) -> None:
        assert fen_from_yuan(value) == fen

    @pytest.mark.parametrize(
        "value",
        [
            *("1.234", "1.000", "1,020", "1.2万", "１２", " 1", "1\n", "1e3", ".5", "5.", "+1", ""),
            *("—", "NaN", "1_0", "9" * 30),
            *(Decimal("0.001"), Decimal("1.000"), Decimal("NaN"), Decimal("Infinity")),
            *(Decimal("1E+999999"), Decimal("1E-999999"), 10**30),
        ],
    )
    def test_refused(self, value: str | Decimal | int) -> None:
        with pytest.raises(MoneyError):
            fen_from_yuan(value)

    @pytest.mark.parametrize("value", [0.1, 1.0, True, None])
    def test_no_floats_nor_booleans(self, value: object) -> None:
        with pytest.raises(MoneyError, match="must be text"):
            fen_from_yuan(value)  # type: ignore[arg-type]

    def test_just_below_the_largest(self) -> None:
        assert fen_from_yuan(Decimal("99999999999.99")) == MAX_FEN - 1

    @given(amounts)
    def test_what_is_written_reads_back(self, fen: int) -> None:
        assert fen_from_yuan(yuan(fen)) == fen
        assert fen_from_yuan(Decimal(yuan(fen))) == fen


class TestYuan:
    @pytest.mark.parametrize(
        ("fen", "text"), [(12_500_000, "125000.00"), (-5, "-0.05"), (0, "0.00")]
    )
    def test_two_decimals(self, fen: int, text: str) -> None:
        assert yuan(fen) == text


class TestWanYuan:
    @pytest.mark.parametrize(
        ("fen", "text"),
        [
            (12_500_000, "12.50"),
            (12_344_999, "12.34"),
            (12_345_000, "12.35"),
            (-12_345_000, "-12.35"),
            (-4_999, "0.00"),
            (120_000_000_000, "120000.00"),
        ],
    )
    def test_half_up(self, fen: int, text: str) -> None:
        assert wan_yuan(fen) == text

    @given(amounts)
    def test_within_half_of_the_last_place(self, fen: int) -> None:
        assert abs(Fraction(wan_yuan(fen)) * 1_000_000 - fen) <= 5_000


class TestPercent:
    @pytest.mark.parametrize(
        ("numerator", "denominator", "text"),
        [
            (1, 3, "33.3"),
            (2, 3, "66.7"),
            (1, 2000, "0.1"),
            (-1, 2000, "-0.1"),
            (-1, 3000, "0.0"),
            (0, 5, "0.0"),
            (485_250, 647_000, "75.0"),
            (Fraction(162, 366), 1, "44.3"),
        ],
    )
    def test_one_decimal_half_up(
        self, numerator: int | Fraction, denominator: int, text: str
    ) -> None:
        assert percent(numerator, denominator) == text

    def test_of_nothing_is_no_figure(self) -> None:
        assert percent(0, 0) is None
        assert percent(5, 0) is None
