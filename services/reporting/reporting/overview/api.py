"""``GET /``: the page of the leader (O23), with nothing loaded from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reporting.obligations.report import stood
from reporting.overview.owed import owed_context
from reporting.overview.page import SIGN_IN, Viewer, context_of
from reporting.progress.api import measures_asked, period_asked
from reporting.progress.report import progress_answer
from reporting.trust.api import trust_of
from shared.auth import FoundCaller, sign_in_router
from shared.dependencies import RuntimeDep

router = APIRouter(include_in_schema=False)
sign_in = sign_in_router("/reporting", home="/")

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@router.get("/", response_class=HTMLResponse, summary="总览页 · the overview page")
async def show_overview(
    found: FoundCaller,
    runtime: RuntimeDep,
    period: str | None = None,
    lang: Annotated[Literal["zh", "en"], Query()] = "zh",
) -> Response:
    """Progress of the three measures and whether the figures can be trusted.

    Without a session: only where PUBLIC_OVERVIEW says so, otherwise on to the sign-in page.
    """
    public = runtime.settings.public_overview
    if found is None and not public:
        return RedirectResponse(f"{SIGN_IN}?{urlencode({'next': '/'})}", 303)
    dekad = period_asked(period, runtime)
    trusted = await trust_of(runtime)
    async with runtime.database.read(snapshot=True) as conn:
        owed = await stood(conn, runtime.plan, runtime.clock.now())
        shown = await progress_answer(
            conn,
            runtime.plan,
            dekad,
            measures_asked(None),
            runtime.clock.now(),
            runtime.clock.kind,
        )
    viewer = Viewer(lang, signed_in=found is not None, public=public)
    html = _TEMPLATES.get_template("overview.html").render(
        owed=owed_context(viewer, owed, runtime.plan),
        **context_of(
            viewer,
            shown,
            trusted,
            runtime.plan,
            period_asked(None, runtime),
        ),
    )
    return HTMLResponse(html, headers={"Content-Language": lang})
