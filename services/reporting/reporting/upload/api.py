"""``GET /reporting/upload`` and its script: the page on which clerks send files (F1–F7).

The page holds no data: its script reads feeds, tries the file with ``dry_run=true`` and sends it
through the services' public API, in the browser's session (``shared.auth.http`` says when a
session may write).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reporting.upload.texts import words
from shared.auth import FoundCaller
from shared.dependencies import RuntimeDep
from shared.periods import Dekad, local_date

router = APIRouter(include_in_schema=False)

PAGE: Final = "/reporting/upload"
SERVICES: Final = ("tax-feed", "registration-feed", "enrollment", "reporting")
"""Who may have feeds; one that does not answer is left out by the page."""

_FOLDER: Final = Path(__file__).with_name("templates")
_TEMPLATES = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@router.get(PAGE, response_class=HTMLResponse)
async def show_upload(
    found: FoundCaller,
    runtime: RuntimeDep,
    lang: Annotated[Literal["zh", "en"], Query()] = "zh",
) -> Response:
    """The page, for whoever has signed in; everybody else is sent to sign in first."""
    if found is None:
        target = f"{PAGE}?{urlencode({'lang': lang})}"
        return RedirectResponse(f"/reporting/sign-in?{urlencode({'next': target})}", 303)
    today = local_date(runtime.clock.now())
    city = runtime.plan.city
    start: dict[str, Any] = {
        "lang": lang,
        "services": SERVICES,
        "texts": words(lang),
        "periods": {
            "month": f"{today:%Y-%m}",
            "dekad": str(Dekad.of(today)),
            "day": today.isoformat(),
        },
        "department": found.department,
    }
    html = _TEMPLATES.get_template("upload.html").render(
        lang=lang,
        t=words(lang),
        city=city.zh if lang == "zh" else city.en,
        caller=found,
        start=start,
        demo=runtime.clock.kind == "demo",
        other=f"{PAGE}?{urlencode({'lang': 'en' if lang == 'zh' else 'zh'})}",
    )
    return HTMLResponse(html, headers={"Content-Language": lang})


@router.get(f"{PAGE}/{{name}}")
async def get_script(name: Literal["upload.js", "pieces.js"]) -> Response:
    """The page's own scripts; they hold no data."""
    text = (_FOLDER / name).read_text("utf-8")
    return Response(text, media_type="text/javascript", headers={"Cache-Control": "no-cache"})
