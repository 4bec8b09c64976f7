"""Signing in with a browser: a form that takes a token and keeps it in a session cookie.

The cookie is HttpOnly, SameSite=Lax, Secure where the public address is https, ends with the
token, and is accepted for GET only (see ``shared.auth.http``).
"""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from shared.auth.http import SESSION_COOKIE, authority_of
from shared.clock import RealClock
from shared.problems import Problem, problem

_MAX_FORM_BYTES = 16 * 1024


def sign_in_router(prefix: str, home: str = "/") -> APIRouter:
    """``GET/POST {prefix}/sign-in`` and ``POST {prefix}/sign-out``; ``home`` is where one lands."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{prefix}/sign-in", response_class=HTMLResponse)
    async def show_form(next: str = home) -> HTMLResponse:
        return HTMLResponse(_form(prefix, local_target(next, home)))

    @router.post(f"{prefix}/sign-in")
    async def sign_in(request: Request) -> Response:
        _refuse_other_sites(request)
        form = await _form_of(request)
        token = form.get("token", "")
        target = local_target(form.get("next", home), home)
        authority = authority_of(request)
        try:
            authority.caller_of(token)
        except Problem as refused:
            shown = refused.detail("zh") + " · " + refused.detail("en")
            return HTMLResponse(_form(prefix, target, shown), refused.status)
        answer = RedirectResponse(target, 303)
        answer.set_cookie(
            SESSION_COOKIE,
            token,
            max_age=max(0, int(authority.claims_of(token)["exp"] - RealClock().now().timestamp())),
            path="/",
            secure=_is_secure(request),
            httponly=True,
            samesite="lax",
        )
        return answer

    @router.post(f"{prefix}/sign-out")
    async def sign_out(request: Request) -> Response:
        _refuse_other_sites(request)
        answer = RedirectResponse(home, 303)
        answer.delete_cookie(
            SESSION_COOKIE, path="/", secure=_is_secure(request), httponly=True, samesite="lax"
        )
        return answer

    return router


def local_target(target: str, home: str) -> str:
    """A path on this site, else ``home``: never a way to another site."""
    odd = any(char in target for char in "\\\r\n\t") or not target.startswith("/")
    parts = urlsplit(target) if not odd else None
    return target if parts and not parts.netloc and not target.startswith("//") else home


def _refuse_other_sites(request: Request) -> None:
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise problem("forbidden", department="—", allowed="same-origin")


def _is_secure(request: Request) -> bool:
    return str(getattr(request.app.state, "public_url", "")).startswith("https://")


async def _form_of(request: Request) -> dict[str, str]:
    """A small url-encoded form; anything else is a problem."""
    content_type = request.headers.get("content-type", "")
    if content_type.split(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise problem(
            "content-type-unsupported",
            content_type=content_type or "—",
            supported="application/x-www-form-urlencoded",
        )
    body = await request.body()
    if len(body) > _MAX_FORM_BYTES:
        raise problem("body-too-long", limit=_MAX_FORM_BYTES)
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
    return {name: values[0].strip() for name, values in fields.items()}


def _form(prefix: str, target: str, refused: str = "") -> str:
    notice = f"<p role='alert'>{escape(refused)}</p>" if refused else ""
    return (
        "<!doctype html><html lang='zh'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'><title>登录 · Sign in</title>"
        "<style>body{font:16px/1.5 sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem}"
        "textarea{width:100%;height:8rem;font:13px monospace}[role=alert]{color:#a00}</style>"
        f"</head><body><h1>登录 · Sign in</h1>{notice}"
        f"<form method='post' action='{escape(prefix)}/sign-in'>"
        f"<input type='hidden' name='next' value='{escape(target)}'>"
        "<label>令牌 · Token<textarea name='token' required autocomplete='off' "
        "spellcheck='false'></textarea></label>"
        "<p><button>登录 · Sign in</button></p></form></body></html>"
    )
