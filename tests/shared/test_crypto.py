"""Secrets rotate without losing what older ones wrote; masks never show an identity number."""

from __future__ import annotations

import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crypto import Secrecy, SecrecyError, mask_identity, mask_tax_no, mask_within

KEYS = {1: b"1" * 32, 2: b"2" * 32}
HASH_KEYS = {1: b"a" * 32, 2: b"b" * 40, 3: b"c" * 100}
WORKER = "210502196001019851"


class TestEncrypt:
    @given(st.binary(), st.binary())
    def test_opens_again(self, plain: bytes, aad: bytes) -> None:
        secrecy = Secrecy(KEYS, {})
        assert secrecy.decrypt(secrecy.encrypt(plain, aad), aad) == plain

    def test_never_twice_the_same(self) -> None:
        secrecy = Secrecy(KEYS, {})
        assert len({secrecy.encrypt(b"same") for _ in range(100)}) == 100

    def test_newest_key_writes_and_older_still_read(self) -> None:
        old = Secrecy({1: KEYS[1]}, {}).encrypt(b"kept")
        rotated = Secrecy(KEYS, {})
        assert rotated.decrypt(old) == b"kept"
        assert rotated.encrypt(b"new")[0] == 2
        with pytest.raises(SecrecyError, match="version 2"):
            Secrecy({1: KEYS[1]}, {}).decrypt(rotated.encrypt(b"new"))

    @given(st.integers(0, 32), st.integers(1, 255))
    def test_any_changed_byte_is_noticed(self, position: int, flip: int) -> None:
        secrecy = Secrecy(KEYS, {})
        sealed = bytearray(secrecy.encrypt(b"plain"))
        sealed[position] ^= flip
        with pytest.raises(SecrecyError):
            secrecy.decrypt(bytes(sealed))

    def test_belongs_to_its_place(self) -> None:
        secrecy = Secrecy(KEYS, {})
        with pytest.raises(SecrecyError, match="elsewhere"):
            secrecy.decrypt(secrecy.encrypt(b"x", b"record 1"), b"record 2")

    def test_many_at_once(self) -> None:
        """Each opens in its own place only, and none has another's nonce."""
        secrecy = Secrecy(KEYS, {})
        pairs = [(b"the same", f"record {no}".encode()) for no in range(100)]
        sealed = secrecy.encrypt_all(pairs)
        assert [*map(secrecy.decrypt, sealed, (place for _, place in pairs))] == [b"the same"] * 100
        assert len({one[1:13] for one in sealed}) == 100
        assert secrecy.encrypt_all([]) == []

    def test_too_short(self) -> None:
        with pytest.raises(SecrecyError, match="too short"):
            Secrecy(KEYS, {}).decrypt(b"\x02")


class TestKeyedHash:
    @given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from([1, 2, 3]))
    def test_is_hmac_sha256_in_base32(self, text: str, version: int) -> None:
        digest = hmac.digest(HASH_KEYS[version], text.encode(), "sha256")[:16]
        letters = base64.b32encode(digest).decode().rstrip("=").lower()
        secrecy = Secrecy({}, {version: HASH_KEYS[version]})
        assert secrecy.keyed_hash(text) == f"v{version}-{letters}"

    @given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=200))
    def test_many_at_once_are_the_same(self, texts: list[str]) -> None:
        secrecy = Secrecy({}, HASH_KEYS)
        for one_by_one in (texts, [f"{no}" for no in range(100)]):
            assert secrecy.keyed_hashes(one_by_one) == [*map(secrecy.keyed_hash, one_by_one)]

    def test_the_newest_version_hashes(self) -> None:
        newest = max(HASH_KEYS)
        alone = Secrecy({}, {newest: HASH_KEYS[newest]}).keyed_hash(WORKER)
        assert Secrecy({}, HASH_KEYS).keyed_hash(WORKER) == alone


class TestSecrecy:
    def test_without_secrets_refuses_to_work(self) -> None:
        secrecy = Secrecy({}, {})
        with pytest.raises(SecrecyError, match="no encryption key"):
            secrecy.encrypt(b"x")
        with pytest.raises(SecrecyError, match="no hash key"):
            secrecy.keyed_hash("x")
        with pytest.raises(SecrecyError, match="no encryption key"):
            secrecy.encrypt_all([(b"x", b"")])
        with pytest.raises(SecrecyError, match="no hash key"):
            secrecy.keyed_hashes(["x"])

    @pytest.mark.parametrize(
        ("keys", "hash_keys"),
        [({1: b"short"}, {}), ({0: b"1" * 32}, {}), ({256: b"1" * 32}, {}), ({}, {1: b"short"})],
    )
    def test_secrets_of_the_wrong_form(
        self, keys: dict[int, bytes], hash_keys: dict[int, bytes]
    ) -> None:
        with pytest.raises(SecrecyError, match="key"):
            Secrecy(keys, hash_keys)

    def test_does_not_show_its_secrets(self) -> None:
        assert repr(Secrecy(KEYS, HASH_KEYS)) == "Secrecy(keys=[1, 2], hash_keys=[1, 2, 3])"


class TestMask:
    def test_identity_number(self) -> None:
        assert mask_identity(WORKER) == "210502**********51"
        assert mask_identity("210502600101985") == "210502*******85"
        assert mask_identity("19600101") == "********"

    @pytest.mark.parametrize(
        "number",
        ["210500734213478", "210504PDY001012", "91210500738791558F", "210500734213479", "无"],
    )
    def test_a_firm_is_shown(self, number: str) -> None:
        assert mask_tax_no(number) == number

    @pytest.mark.parametrize(
        ("number", "shown"),
        [
            (WORKER + "00", "210502**********5100"),
            ("210502600101985" + "00000", "210502*******8500000"),
            (WORKER, "210502**********51"),
            ("210502600101985", "210502*******85"),
        ],
    )
    def test_an_owner_is_masked(self, number: str, shown: str) -> None:
        assert mask_tax_no(number) == shown

    @given(st.sampled_from([WORKER + "00", WORKER]), st.integers(0, 17), st.sampled_from("0X5 ９"))
    def test_a_mistyped_owner_is_masked_too(self, number: str, position: int, char: str) -> None:
        for wrong in (
            number[:position] + number[position + 1 :],
            number[:position] + char + number[position:],
            number[:position] + char + number[position + 1 :],
        ):
            assert "*******" in mask_tax_no(wrong)


def test_identity_numbers_in_a_text_are_masked_and_nothing_else() -> None:
    assert mask_within(f"号码{WORKER}，税号{WORKER}00") == (
        "号码210502**********51，税号210502**********5100"
    )
    for other in ("210502200000015", "91210500MA0000000X", "20081206123456789012345", "125000.00"):
        assert mask_within(other) == other
