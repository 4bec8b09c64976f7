"""Tokens: JWTs (RFC 7519) signed asymmetrically, checked against a JSON Web Key Set.

In production an identity provider issues them and ``AUTH_JWKS`` names its keys. Without it the
embedded issuer is believed: its private key lies in ``DATA_DIR``, so whoever can read that folder
can make tokens (``kuomian token``); that is for the demo, tests and one-machine installations.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import KeySet, OKPKey

from shared.auth.caller import DEPARTMENTS, Caller
from shared.clock import RealClock
from shared.problems import problem
from shared.settings import Settings

ALGORITHMS: Final = ("Ed25519", "EdDSA", "ES256", "RS256", "PS256")
"""Only asymmetric ones, so that a public key can never be used to sign."""

EMBEDDED_ISSUER: Final = "kuomian"
DEFAULT_LIFETIME: Final = timedelta(days=30)
_LEEWAY_SECONDS: Final = 30
_REREAD_SECONDS: Final = 5.0


class Issuer:
    """The embedded issuer: one Ed25519 key in ``data_dir``, made at first use, readable by the
    owner only. Two processes starting at once end up with the same key."""

    def __init__(self, data_dir: Path) -> None:
        path = data_dir / "issuer" / "key.json"
        if not path.exists():
            _make_key(path)
        self._key = OKPKey.import_key(json.loads(path.read_text("utf-8")))

    def jwks(self) -> dict[str, Any]:
        """The public key set, as ``AUTH_JWKS`` takes it."""
        return {"keys": [self._key.as_dict(private=False)]}

    def token(
        self,
        subject: str,
        department: str,
        units: Collection[str] | None = None,
        lifetime: timedelta = DEFAULT_LIFETIME,
    ) -> str:
        """A signed token. ValueError for an unknown department, or department ``unit`` without
        units. Expiry is real time, whatever the demo clock says."""
        if department not in DEPARTMENTS:
            raise ValueError(f"no department {department!r}; one of {sorted(DEPARTMENTS)}")
        if department == "unit" and not units:
            raise ValueError("a token of department unit names its units")
        now = RealClock().now()
        claims: dict[str, Any] = {
            "iss": EMBEDDED_ISSUER,
            "aud": EMBEDDED_ISSUER,
            "sub": subject,
            "department": department,
            "iat": int(now.timestamp()),
            "exp": int((now + lifetime).timestamp()),
        }
        if units is not None:
            claims["units"] = sorted(units)
        header = {"alg": "Ed25519", "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=["Ed25519"])


class Authority:
    """Decides who a token speaks for. Keys are read at first use and once more when a token
    names a key not seen yet (at most every few seconds), so that a provider may rotate them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys: KeySet | None = None
        self._read_at = float("-inf")
        embedded = settings.auth_jwks is None
        issuer = EMBEDDED_ISSUER if embedded else settings.auth_issuer
        audience = EMBEDDED_ISSUER if embedded else settings.auth_audience
        options: dict[str, Any] = {"exp": {"essential": True}, "sub": {"essential": True}}
        if issuer:
            options["iss"] = {"essential": True, "value": issuer}
        if audience:
            options["aud"] = {"essential": True, "value": audience}
        self._claims = jwt.JWTClaimsRegistry(leeway=_LEEWAY_SECONDS, **options)

    def caller_of(self, token: str) -> Caller:
        """The caller a token speaks for. Raises the problems ``token-expired`` and
        ``unauthenticated``; the token itself is never repeated in them."""
        claims = self.claims_of(token)
        department = claims.get("department")
        if not isinstance(department, str) or department not in DEPARTMENTS:
            raise problem("unauthenticated", reason="claim department")
        units = claims.get("units")
        if units is not None and not _is_texts(units):
            raise problem("unauthenticated", reason="claim units")
        if department == "unit" and not units:
            raise problem("unauthenticated", reason="claim units")
        scope = None if units is None else frozenset(units)
        return Caller(str(claims["sub"]), department, scope)

    def claims_of(self, token: str) -> dict[str, Any]:
        """The verified claims of a token; raises as ``caller_of``."""
        try:
            decoded = self._decode(token)
            self._claims.validate(decoded.claims)
        except ExpiredTokenError:
            raise problem("token-expired") from None
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise problem("unauthenticated", reason=_reason(error)) from None
        return decoded.claims

    def _decode(self, token: str) -> jwt.Token:
        if self._keys is None:
            self._read_keys()
        try:
            return jwt.decode(token, self._known_keys(), algorithms=list(ALGORITHMS))
        except (JoseError, ValueError):
            if time.monotonic() - self._read_at < _REREAD_SECONDS:
                raise
            self._read_keys()
            return jwt.decode(token, self._known_keys(), algorithms=list(ALGORITHMS))

    def _known_keys(self) -> KeySet:
        assert self._keys is not None  # noqa: S101 - read before
        return self._keys

    def _read_keys(self) -> None:
        document = self._settings.jwks()
        if document is None:
            document = Issuer(self._settings.data_dir).jwks()
        self._keys = KeySet.import_key_set({"keys": list(document["keys"])})
        self._read_at = time.monotonic()


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _reason(error: Exception) -> str:
    """A short reason without the token: joserfc's error codes, else the kind of error."""
    return str(getattr(error, "error", "") or type(error).__name__)


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = OKPKey.generate_key("Ed25519", auto_kid=True).as_dict(private=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.touch(mode=0o600)
    part.write_text(json.dumps(key), "utf-8")
    try:
        os.link(part, path)  # unlike a rename, never replaces a key another process made first
    except FileExistsError:
        pass
    finally:
        part.unlink()
