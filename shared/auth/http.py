"""Authentication of requests, as FastAPI dependencies.

    async def read(caller: CallerDep) -> …                                  # anyone with a token
    async def fix(caller: Annotated[Caller, allow("operator")]) -> …        # some departments only
    @router.get("/x", dependencies=[allow("agency", "auditor")])            # not looked at

A browser's session cookie counts for GET and HEAD, and for what a page of ours does: other methods
need the header ``X-Kuomian-Page`` and the browser's own word (``Sec-Fetch-Site``) that the request
comes from this site, so that no other site can make a signed-in browser change anything.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from shared.auth.caller import DEPARTMENTS, Caller
from shared.auth.tokens import Authority
from shared.problems import Problem, problem

SESSION_COOKIE: Final = "kuomian_session"
SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
PAGE_HEADER: Final = "x-kuomian-page"
"""No form can set it, and no script of another site without asking first, which we refuse."""

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    bearerFormat="JWT",
    description="部门令牌(JWT) · a department's token (JWT), signed asymmetrically",
)
_cookie = APIKeyCookie(
    name=SESSION_COOKIE,
    auto_error=False,
    scheme_name="session",
    description="浏览器会话,GET 和本站页面 · a browser's session: GET, and our own pages",
)


def authority_of(request: Request) -> Authority:
    """The running service's authority."""
    authority: Authority = request.app.state.runtime.authority
    return authority


async def find_caller(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    session: Annotated[str | None, Security(_cookie)],
) -> Caller | None:
    """The caller, None when neither token nor valid session came; a token that came and is no
    good is a problem even here."""
    if credentials is not None:
        return authority_of(request).caller_of(credentials.credentials)
    if session and (request.method in SAFE_METHODS or _is_from_our_page(request)):
        try:
            return authority_of(request).caller_of(session)
        except Problem:
            return None  # a session that ran out is no session: the page may offer to sign in
    return None


def _is_from_our_page(request: Request) -> bool:
    headers = request.headers
    return PAGE_HEADER in headers and headers.get("sec-fetch-site") == "same-origin"


FoundCaller = Annotated[Caller | None, Depends(find_caller)]
"""For what is open without a token but says more with one."""


async def get_caller(request: Request, found: FoundCaller) -> Caller:
    """The caller; raises the problem ``unauthenticated`` without a token."""
    if found is None:
        raise problem("unauthenticated", reason="no token")
    request.state.department = found.department  # for the access log
    return found


CallerDep = Annotated[Caller, Depends(get_caller)]
"""``caller: CallerDep`` in a route: authenticated, any department."""


def allow(*departments: str) -> Any:
    """A dependency giving the Caller when of one of these departments, else ``forbidden``.

    ValueError at import time for a department that does not exist.
    """
    unknown = set(departments) - DEPARTMENTS
    if unknown or not departments:
        raise ValueError(f"no such departments: {sorted(unknown)}")

    async def allowed(caller: CallerDep) -> Caller:
        caller.require(*departments)
        return caller

    return Depends(allowed)
