"""Ed25519 signatures over a document's canonical bytes (RFC 8785), and their checking offline.

The envelope of a signed document is the document itself with two further members, which are not
part of what is hashed and signed: ``receipt_sha256``, the SHA-256 of the canonical bytes, and
``signature`` with algorithm, key id and value. A key id is the key's thumbprint (RFC 7638), so it
names the key itself wherever it is published, and a signature made before a rotation verifies for
as long as its public key is kept.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

ENVELOPE: Final = frozenset({"receipt_sha256", "signature"})
"""Members of a signed document that are not part of what is signed."""
ALGORITHM: Final = "Ed25519"


class Seal(TypedDict):
    """A signature as it stands in the envelope; ``value`` is base64 of 64 bytes."""

    algorithm: str
    key_id: str
    value: str


class SealBroken(Exception):
    """A document is not what was signed, or cannot be checked; ``reason`` is a stable code:
    ``not-signed``, ``malformed``, ``changed``, ``key-unknown``, ``signature-wrong``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def canonical(document: Mapping[str, Any]) -> bytes:
    """The document's bytes: UTF-8 JSON, keys sorted, no spaces. The same as RFC 8785 for what has
    no fractions and only ASCII member names, which is what we sign."""
    return json.dumps(
        document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


class Signer:
    """Signs with the newest of its keys and publishes the public half of all.

    ``seeds``: version to 32 bytes. Raises ValueError when there is none.
    """

    def __init__(self, seeds: Mapping[int, bytes]) -> None:
        if not seeds:
            raise ValueError("no signing key")
        keys = {no: Ed25519PrivateKey.from_private_bytes(seed) for no, seed in seeds.items()}
        self._key = keys[max(keys)]
        self._public = [jwk_of(keys[no].public_key()) for no in sorted(keys, reverse=True)]

    @property
    def key_id(self) -> str:
        """Of the key that signs."""
        return str(self._public[0]["kid"])

    def sign(self, document: Mapping[str, Any]) -> Seal:
        """The signature over the document's canonical bytes."""
        value = base64.b64encode(self._key.sign(canonical(document))).decode()
        return {"algorithm": ALGORITHM, "key_id": self.key_id, "value": value}

    def jwks(self) -> dict[str, Any]:
        """The public keys as a JWK set (RFC 7517, RFC 8037), the one that signs first."""
        return {"keys": self._public}


def jwk_of(key: Ed25519PublicKey) -> dict[str, str]:
    """A public key as a JWK, its id the RFC 7638 thumbprint."""
    form = {"crv": "Ed25519", "kty": "OKP", "x": _unpadded(key.public_bytes_raw())}
    thumbprint = hashlib.sha256(canonical(form)).digest()
    return {**form, "kid": _unpadded(thumbprint), "alg": "EdDSA", "use": "sig"}


def enveloped(
    document: Mapping[str, Any], sha256: bytes, seal: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The document with its hash and signature beside it."""
    return {
        **document,
        "receipt_sha256": sha256.hex(),
        "signature": None if seal is None else dict(seal),
    }


@dataclass(frozen=True)
class Verified:
    """A document that is what was signed."""

    document: dict[str, Any]
    """Without the envelope."""
    sha256: str
    key_id: str


def verify(envelope: Mapping[str, Any], jwks: Mapping[str, Any]) -> Verified:
    """Check a signed document against published keys. Raises SealBroken; needs no network."""
    seal = envelope.get("signature")
    if not isinstance(seal, Mapping):
        raise SealBroken("not-signed")
    document = {name: value for name, value in envelope.items() if name not in ENVELOPE}
    try:
        data = canonical(document)
        value = base64.b64decode(str(seal["value"]), validate=True)
        key_id = str(seal["key_id"])
    except (KeyError, ValueError, binascii.Error):
        raise SealBroken("malformed") from None
    if seal.get("algorithm") != ALGORITHM:
        raise SealBroken("malformed")
    if hashlib.sha256(data).hexdigest() != envelope.get("receipt_sha256"):
        raise SealBroken("changed")
    try:
        _public_key(jwks, key_id).verify(value, data)
    except InvalidSignature:
        raise SealBroken("signature-wrong") from None
    return Verified(document, str(envelope["receipt_sha256"]), key_id)


def _public_key(jwks: Mapping[str, Any], key_id: str) -> Ed25519PublicKey:
    """The key whose own thumbprint is ``key_id``: a set cannot pass one off as another."""
    keys = jwks.get("keys")
    for jwk in keys if isinstance(keys, list) else ():
        if not isinstance(jwk, Mapping) or jwk.get("crv") != "Ed25519":
            continue
        try:
            text = str(jwk.get("x", ""))
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            key = Ed25519PublicKey.from_public_bytes(raw)
        except (ValueError, binascii.Error):
            continue
        if jwk_of(key)["kid"] == key_id:
            return key
    raise SealBroken("key-unknown")


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
