"""Receipts' signatures: checked offline, unbroken by a rotation, broken by any change."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from shared.signing import SealBroken, Signer, canonical, enveloped, verify

OLD, NEW, OTHER = (bytes([no]) * 32 for no in (1, 2, 3))
DOCUMENT: dict[str, Any] = {"delivery": "d", "sent": 2, "note": "平山区 €", "nil": False, "x": None}


def made(signer: Signer) -> dict[str, Any]:
    from shared.deliveries.receipts import digest

    return enveloped(DOCUMENT, digest(DOCUMENT), signer.sign(DOCUMENT))


def test_what_was_signed_verifies_and_says_by_which_key() -> None:
    signer = Signer({1: OLD})
    found = verify(made(signer), signer.jwks())
    assert (found.document, found.key_id) == (DOCUMENT, signer.key_id)


def test_canonical_bytes_are_those_of_rfc_8785() -> None:
    made = canonical({"b": 1, "a": "€", "c": [True, None]})
    assert made == '{"a":"€","b":1,"c":[true,null]}'.encode()


def test_receipts_keep_verifying_after_a_rotation_and_new_ones_take_the_new_key() -> None:
    before, rotated = Signer({1: OLD}), Signer({1: OLD, 2: NEW})
    old, new = made(before), made(rotated)
    assert verify(old, rotated.jwks()).key_id == before.key_id
    assert verify(new, rotated.jwks()).key_id == rotated.key_id != before.key_id
    assert rotated.jwks()["keys"][0]["kid"] == rotated.key_id
    with pytest.raises(SealBroken, match="key-unknown"):
        verify(old, Signer({2: NEW}).jwks())


def test_nothing_private_is_published() -> None:
    for key in Signer({1: OLD, 2: NEW}).jwks()["keys"]:
        assert key.keys() == {"crv", "kty", "x", "kid", "alg", "use"}


def changes(envelope: dict[str, Any]) -> dict[str, tuple[dict[str, Any], str]]:
    other = Signer({1: OTHER})
    forged = {**envelope, "sent": 3}
    return {
        "a count": (forged, "changed"),
        "a count and its hash": (
            {**forged, "receipt_sha256": made_hash({**DOCUMENT, "sent": 3})},
            "signature-wrong",
        ),
        "another's signature": (
            {**envelope, "signature": dict(other.sign(DOCUMENT))},
            "key-unknown",
        ),
        "a key's name on another's": (
            {
                **envelope,
                "signature": {
                    **other.sign(DOCUMENT),
                    "key_id": envelope["signature"]["key_id"],
                },
            },
            "signature-wrong",
        ),
        "no signature": ({**envelope, "signature": None}, "not-signed"),
        "half a signature": ({**envelope, "signature": {"value": "!"}}, "malformed"),
    }


def made_hash(document: dict[str, Any]) -> str:
    from shared.deliveries.receipts import digest

    return digest(document).hex()


@pytest.mark.parametrize("what", changes(made(Signer({1: OLD}))))
def test_any_change_is_found_and_named(what: str) -> None:
    signer = Signer({1: OLD})
    envelope, reason = changes(copy.deepcopy(made(signer)))[what]
    with pytest.raises(SealBroken) as broken:
        verify(envelope, signer.jwks())
    assert broken.value.reason == reason


def test_a_set_cannot_pass_a_key_off_as_another() -> None:
    signer, other = Signer({1: OLD}), Signer({1: OTHER})
    forged = {**made(signer), "signature": {**other.sign(DOCUMENT), "key_id": signer.key_id}}
    jwks = {"keys": [{**other.jwks()["keys"][0], "kid": signer.key_id}]}
    with pytest.raises(SealBroken, match="key-unknown"):
        verify(forged, jwks)
