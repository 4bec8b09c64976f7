"""Tokens: whom they speak for, and every way they can be no good."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from shared.auth import Authority, Caller, CallerDep, Issuer, allow, sign_in_router
from shared.auth.sign_in import local_target
from shared.problems import Problem, install_problems
from shared.settings import Settings

HOUR = timedelta(hours=1)


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer(tmp_path)


@pytest.fixture
def authority(issuer: Issuer, tmp_path: Path) -> Authority:
    return Authority(Settings(data_dir=tmp_path))


@pytest.fixture
async def client(authority: Authority) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.state.runtime = SimpleNamespace(authority=authority)
    app.state.public_url = "https://kuomian.example"
    install_problems(app)
    app.include_router(sign_in_router("/reporting"))

    @app.get("/who")
    async def who(caller: CallerDep) -> dict[str, Any]:
        return {"department": caller.department}

    @app.post("/change")
    async def change(caller: CallerDep) -> None: ...

    @app.get("/operators")
    async def operators(caller: Annotated[Caller, allow("operator")]) -> str:
        return caller.subject

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://kuomian.example") as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def code_of(refused: pytest.ExceptionInfo[Problem]) -> str:
    return refused.value.code


def test_a_token_speaks_for_its_department_and_units(issuer: Issuer, authority: Authority) -> None:
    caller = authority.caller_of(issuer.token("benxi-ming-shan", "unit", ["210504"], HOUR))
    assert caller == Caller("benxi-ming-shan", "unit", frozenset({"210504"}))
    assert caller.may_read_unit("210504")
    assert not caller.may_read_unit("210502")
    assert authority.caller_of(issuer.token("tax", "tax")).may_read_unit("210502")


def test_an_expired_token_is_told_apart(issuer: Issuer, authority: Authority) -> None:
    with pytest.raises(Problem) as refused:
        authority.caller_of(issuer.token("tax", "tax", lifetime=-HOUR))
    assert code_of(refused) == "token-expired"


def test_another_issuers_key_is_not_believed(authority: Authority, tmp_path: Path) -> None:
    stranger = Issuer(tmp_path / "elsewhere").token("tax", "tax")
    with pytest.raises(Problem) as refused:
        authority.caller_of(stranger)
    assert code_of(refused) == "unauthenticated"
    assert stranger not in str(refused.value)


def test_a_public_key_cannot_sign(issuer: Issuer, authority: Authority) -> None:
    public = issuer.jwks()["keys"][0]
    key = OctKey.import_key(json.dumps(public), {"kid": public["kid"]})
    claims = {"sub": "x", "department": "operator", "exp": 4102444800, "iss": "kuomian"}
    forged = jwt.encode({"alg": "HS256", "kid": public["kid"]}, {**claims, "aud": "kuomian"}, key)
    for token in (forged, "", "no.token.atall", forged.rsplit(".", 1)[0] + "."):
        with pytest.raises(Problem) as refused:
            authority.caller_of(token)
        assert code_of(refused) == "unauthenticated"


@pytest.mark.parametrize(
    "claims",
    [
        {"department": "treasury"},
        {"department": "unit"},
        {"department": ["operator"]},
        {"department": {"operator": 1}},
        {"department": "unit", "units": []},
        {"department": "tax", "units": "210502"},
        {"department": "tax", "sub": None},
        {"department": "tax", "exp": None},
        {"department": "tax", "iss": "somebody"},
        {"department": "tax", "aud": "somebody"},
        {},
    ],
)
def test_claims_must_be_whole(tmp_path: Path, claims: dict[str, Any]) -> None:
    key = OKPKey.generate_key("Ed25519", auto_kid=True)
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    settings = Settings(
        data_dir=tmp_path, auth_jwks=str(path), auth_issuer="city", auth_audience="kuomian"
    )
    good: dict[str, Any] = {"sub": "x", "exp": 4102444800, "iss": "city", "aud": "kuomian"}

    def sign(more: dict[str, Any]) -> str:
        merged = {name: value for name, value in {**good, **more}.items() if value is not None}
        return jwt.encode({"alg": "Ed25519", "kid": key.kid}, merged, key, algorithms=["Ed25519"])

    authority = Authority(settings)
    assert authority.caller_of(sign({"department": "tax"})).department == "tax"
    with pytest.raises(Problem) as refused:
        authority.caller_of(sign(claims))
    assert code_of(refused) == "unauthenticated"


def test_a_rotated_key_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "jwks.json"
    first, second = Issuer(tmp_path / "1"), Issuer(tmp_path / "2")
    path.write_text(json.dumps(first.jwks()))
    authority = Authority(Settings(data_dir=tmp_path, auth_jwks=str(path)))
    monkeypatch.setattr("shared.auth.tokens._REREAD_SECONDS", 0.0)
    assert authority.caller_of(first.token("tax", "tax")).subject == "tax"
    path.write_text(json.dumps({"keys": first.jwks()["keys"] + second.jwks()["keys"]}))
    assert authority.caller_of(second.token("tax-2", "tax")).subject == "tax-2"


def test_the_private_key_is_the_owners_only(issuer: Issuer, tmp_path: Path) -> None:
    path = tmp_path / "issuer" / "key.json"
    assert path.stat().st_mode & 0o077 == 0
    assert "d" not in issuer.jwks()["keys"][0]
    assert Issuer(tmp_path).jwks() == issuer.jwks()


def test_the_issuer_refuses_what_the_authority_would(issuer: Issuer) -> None:
    with pytest.raises(ValueError, match="no department"):
        issuer.token("x", "treasury")
    with pytest.raises(ValueError, match="units"):
        issuer.token("x", "unit")
    with pytest.raises(ValueError, match="departments"):
        allow("treasury")


async def test_routes_ask_for_a_token(client: httpx.AsyncClient, issuer: Issuer) -> None:
    refused = await client.get("/who")
    assert refused.status_code == 401
    assert refused.json()["code"] == "unauthenticated"
    assert refused.headers["www-authenticate"].startswith("Bearer")
    seen = await client.get("/who", headers=bearer(issuer.token("t", "tax")))
    assert seen.json() == {"department": "tax"}


async def test_departments_are_kept_apart(client: httpx.AsyncClient, issuer: Issuer) -> None:
    refused = await client.get("/operators", headers=bearer(issuer.token("t", "tax")))
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    seen = await client.get("/operators", headers=bearer(issuer.token("o", "operator")))
    assert seen.json() == "o"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Kuomian-Page": "upload", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"X-Kuomian-Page": "upload", "Sec-Fetch-Site": "same-site"}, 401),
        ({"X-Kuomian-Page": "upload", "Sec-Fetch-Site": "cross-site"}, 401),
        ({"X-Kuomian-Page": "upload"}, 401),
        ({"Sec-Fetch-Site": "same-origin"}, 401),
    ],
)
async def test_a_browser_session_writes_only_for_our_own_pages(
    client: httpx.AsyncClient, issuer: Issuer, headers: dict[str, str], status: int
) -> None:
    await client.post("/reporting/sign-in", data={"token": issuer.token("t", "tax")})
    assert (await client.post("/change", headers=headers)).status_code == status


async def test_a_browser_session_reads_and_otherwise_never_writes(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    form = {"token": issuer.token("leader", "leading-group"), "next": "/who"}
    answer = await client.post("/reporting/sign-in", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/who")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" in cookie
    assert (await client.get("/who")).json() == {"department": "leading-group"}
    assert (await client.post("/change")).status_code == 401
    await client.post("/reporting/sign-out")
    assert (await client.get("/who")).status_code == 401


async def test_signing_in_refuses_bad_tokens_and_other_sites(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    refused = await client.post("/reporting/sign-in", data={"token": "nonsense"})
    assert refused.status_code == 401
    assert "set-cookie" not in refused.headers
    other = await client.post(
        "/reporting/sign-in",
        data={"token": issuer.token("x", "tax")},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert other.status_code == 403
    odd = await client.post("/reporting/sign-in", json={"token": "x"})
    assert odd.json()["code"] == "content-type-unsupported"


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "/\t/evil", ""]
)
def test_signing_in_leads_nowhere_else(target: str) -> None:
    assert local_target(target, "/home") == "/home"
    assert local_target("/reporting/v1/x?a=1", "/home") == "/reporting/v1/x?a=1"
