"""Secrets with versions: what is encrypted at rest, keyed hashes, and masks for lists.

Identity numbers and raw bodies are stored encrypted; keys and look-ups use a keyed hash.
Several encryption keys may be known at once: new values use the newest, old ones stay readable
until they are rewritten (``shared.reencrypt``). The hash key stays what it is: a hash under
another one is another key, and everybody a stranger (decision record 15).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.identifiers import (
    IDENTITY_CARD,
    IdentityKind,
    identity_form_problem,
    org_code_from_tax_no,
)

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_BLOCK_BYTES: Final = 64  # of SHA-256, for HMAC
_HASH_KEY_MIN_BYTES: Final = 32
_MAX_VERSION: Final = 255

_IDENTITY_18: Final = re.compile(
    r"(?<![0-9])[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"[0-9]{3}[0-9Xx](?=(?:00)?(?![0-9]))"
)
"""By its birth date; a household's tax number adds 00."""

_BASE32: Final = "abcdefghijklmnopqrstuvwxyz234567"
# Two characters at a time: the standard library's encoder costs more than the hash itself.
_BASE32_PAIRS: Final = [first + second for first in _BASE32 for second in _BASE32]
_BASE32_CODES: Final = np.frombuffer(_BASE32.encode(), np.uint8)
_LETTERS: Final = 26
_FIVE_BITS: Final = np.uint64(31)
_MANY: Final = 64
"""From so many values on it pays to write them all at once."""


class SecrecyError(Exception):
    """A value that no known secret opens, or a secret that is missing or of the wrong form."""


@dataclass(frozen=True)
class SealedColumn:
    """A column of encrypted values, declared by the service it belongs to.

    ``key``: the primary key's columns. ``place``: what binds a value to its row, of the key's
    values in that order; see ``Secrecy.encrypt``.
    """

    table: str
    column: str
    key: tuple[str, ...]
    place: Callable[..., bytes]

    @property
    def name(self) -> str:
        """``table.column``."""
        return f"{self.table}.{self.column}"


def key_version(sealed: bytes) -> int:
    """The version of the key that encrypted a value."""
    return sealed[0]


class Secrecy:
    """Encrypts and hashes with the newest secret, reads what older ones wrote.

    ``keys``: version (1–255) to 32 bytes, for AES-256-GCM. ``hash_keys``: version to at least
    32 bytes, for HMAC-SHA256. Either may be empty where a service has no business with it
    (reporting has no hash keys); using it then raises SecrecyError. Nonces are random, so a key
    should be replaced well before 2^32 values.
    """

    def __init__(self, keys: Mapping[int, bytes], hash_keys: Mapping[int, bytes]) -> None:
        for version, key in keys.items():
            if len(key) != KEY_BYTES or not 1 <= version <= _MAX_VERSION:
                raise SecrecyError(f"encryption key {version}: need version 1-255 and 32 bytes")
        for version, key in hash_keys.items():
            if len(key) < _HASH_KEY_MIN_BYTES or version < 1:
                raise SecrecyError(f"hash key {version}: need version 1 or more and 32 bytes")
        self._made_of = (dict(keys), dict(hash_keys))
        self._ciphers = {version: AESGCM(key) for version, key in keys.items()}
        self._hash_versions = sorted(hash_keys)
        newest_hash = max(hash_keys, default=None)
        self._mac = None if newest_hash is None else _Mac(newest_hash, hash_keys[newest_hash])
        self.newest_version: int | None = max(keys, default=None)
        """Of the encryption keys: what writes."""
        if self.newest_version is not None:
            self._prefix = bytes([self.newest_version])
            self._cipher: AESGCM | None = self._ciphers[self.newest_version]
        else:
            self._cipher = None

    def encrypt(self, plain: bytes, aad: bytes = b"") -> bytes:
        """Key version (1 byte), nonce (12), ciphertext with tag (plain + 16).

        ``aad`` binds the value to its place (table, record) and must be given again to decrypt.
        """
        if self._cipher is None:
            raise SecrecyError("no encryption key is configured")
        nonce = os.urandom(_NONCE_BYTES)
        return self._prefix + nonce + self._cipher.encrypt(nonce, plain, aad)

    def encrypt_all(self, plain: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """``encrypt`` of (plain, aad) pairs, in order: half a microsecond less for each of many."""
        if self._cipher is None:
            raise SecrecyError("no encryption key is configured")
        pairs = list(plain)
        prefix, encrypt, size = self._prefix, self._cipher.encrypt, _NONCE_BYTES
        chance = os.urandom(size * len(pairs))
        nonces = [chance[at : at + size] for at in range(0, len(chance), size)]
        return [
            prefix + nonce + encrypt(nonce, text, aad)
            for nonce, (text, aad) in zip(nonces, pairs, strict=True)
        ]

    def decrypt(self, sealed: bytes, aad: bytes = b"") -> bytes:
        """The plain bytes; SecrecyError for an unknown version, other ``aad``, or any change."""
        if len(sealed) < 1 + _NONCE_BYTES + _TAG_BYTES:
            raise SecrecyError("too short to be an encrypted value")
        cipher = self._ciphers.get(sealed[0])
        if cipher is None:
            raise SecrecyError(f"encrypted with key version {sealed[0]}, which is not configured")
        try:
            return cipher.decrypt(sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :], aad)
        except InvalidTag as error:
            raise SecrecyError("the encrypted value was changed or belongs elsewhere") from error

    def keyed_hash(self, text: str) -> str:
        """HMAC-SHA256 with the newest hash key: ``v1-`` and 128 bits in base32 (26 characters).

        The same text gives the same hash everywhere the secret is the same; write a number in
        its one standard form first (``identifiers.read``).
        """
        return self._hasher().hash(text)

    def keyed_hashes(self, texts: Sequence[str]) -> list[str]:
        """``keyed_hash`` of each, in order: of many in less than half the time."""
        return self._hasher().hashes(texts)

    def _hasher(self) -> _Mac:
        if self._mac is None:
            raise SecrecyError("no hash key is configured")
        return self._mac

    def __reduce__(self) -> tuple[type[Secrecy], tuple[dict[int, bytes], dict[int, bytes]]]:
        """Handed to the worker processes that judge; ciphers themselves cannot be pickled."""
        return Secrecy, self._made_of

    def __repr__(self) -> str:
        return f"Secrecy(keys={sorted(self._ciphers)}, hash_keys={self._hash_versions})"


class _Mac:
    """HMAC-SHA256 with the key's two blocks already absorbed; each hash copies that state."""

    __slots__ = ("_inner", "_outer", "_prefix")

    def __init__(self, version: int, key: bytes) -> None:
        if len(key) > _BLOCK_BYTES:
            key = hashlib.sha256(key).digest()
        block = key.ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
        self._prefix = f"v{version}-"

    def hash(self, text: str) -> str:
        (digest,) = self._digests((text,))
        return self._prefix + _base32_of_16(digest)

    def hashes(self, texts: Sequence[str]) -> list[str]:
        if len(texts) < _MANY:
            return list(map(self.hash, texts))
        prefix = self._prefix
        return [prefix + letters for letters in _base32_of_all(self._digests(texts))]

    def _digests(self, texts: Iterable[str]) -> list[bytes]:
        begin, end = self._inner.copy, self._outer.copy
        digests = []
        for text in texts:
            inner, outer = begin(), end()
            inner.update(text.encode())
            outer.update(inner.digest())
            digests.append(outer.digest())
        return digests


def _base32_of_all(digests: Sequence[bytes]) -> list[str]:
    """``_base32_of_16`` of each of SHA-256's digests."""
    words = np.frombuffer(b"".join(digests), ">u8").reshape(len(digests), 4)
    upper, lower = (words[:, place].astype(np.uint64) for place in (0, 1))
    letters = np.empty((len(digests), _LETTERS), np.uint8)
    for place in range(12):
        letters[:, place] = upper >> np.uint64(59 - 5 * place) & _FIVE_BITS
        letters[:, 13 + place] = lower >> np.uint64(58 - 5 * place) & _FIVE_BITS
    letters[:, 12] = upper << np.uint64(1) & _FIVE_BITS | lower >> np.uint64(63)
    letters[:, 25] = lower << np.uint64(2) & _FIVE_BITS
    text = _BASE32_CODES[letters].tobytes().decode()
    return [text[at : at + _LETTERS] for at in range(0, len(text), _LETTERS)]


def _base32_of_16(data: bytes) -> str:
    """Lower-case RFC 4648 base32 of the first 16 bytes, without padding."""
    p = _BASE32_PAIRS
    # 128 bits = 6 pairs of characters from the upper 60, 6 from the next 60, one from the last 8.
    bits = int.from_bytes(data[:16], "big")
    a, b = bits >> 68, (bits >> 8) & 0xFFFFFFFFFFFFFFF
    # Written out: a loop would take twice as long.
    return (
        f"{p[a >> 50]}{p[a >> 40 & 1023]}{p[a >> 30 & 1023]}{p[a >> 20 & 1023]}"
        f"{p[a >> 10 & 1023]}{p[a & 1023]}"
        f"{p[b >> 50]}{p[b >> 40 & 1023]}{p[b >> 30 & 1023]}{p[b >> 20 & 1023]}"
        f"{p[b >> 10 & 1023]}{p[b & 1023]}{p[(bits & 0xFF) << 2]}"
    )


def mask_identity(value: str) -> str:
    """First six and last two characters, stars between: ``210502**********1X``.

    What is too short to be an identity number is starred whole.
    """
    if len(value) < 15:
        return "*" * len(value)
    return value[:6] + "*" * (len(value) - 8) + value[-2:]


def mask_document(kind: IdentityKind, number: str) -> str:
    """The number of a person's paper: an identity number as ``mask_identity``, any other, which
    may hold the birth date, with its first and last two characters."""
    if kind == IDENTITY_CARD:
        return mask_identity(number)
    return number[0] + "*" * (len(number) - 3) + number[-2:]


def mask_within(text: str) -> str:
    """The text with every identity number of 18 characters in it masked: someone may have written
    one where it does not belong. Those of 15 look like licence numbers and stay."""
    return _IDENTITY_18.sub(lambda found: mask_identity(found[0]), text)


def mask_tax_no(value: str) -> str:
    """The tax number, masked only when it contains an identity number.

    A firm's number is shown as it is. An owner's keeps its 00 or 00000. A number that is wrong
    is masked wherever it may be a mistyped identity number: a missed digit must not expose it.
    """
    if org_code_from_tax_no(value) is not None:
        return value
    if len(value) == 20:
        short = value.endswith("00000") and identity_form_problem(value[:18]) is not None
        end = 15 if short else 18
        return mask_identity(value[:end]) + value[end:]
    return mask_identity(value) if _may_hold_identity(value) else value


def _may_hold_identity(value: str) -> bool:
    if len(value) == 15:
        return identity_form_problem(value) is None
    return sum(char.isdigit() for char in value) >= 14
