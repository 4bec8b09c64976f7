"""A real Chromium, for the tests that look at pages as people do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Page, async_playwright

from tests.deploy.tools import from_debian


@dataclass
class Looking:
    """A page and what went wrong on it: script errors and refused requests, by address."""

    page: Page
    errors: list[str] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)


@asynccontextmanager
async def browser(downloads: Path, width: int = 1280) -> AsyncIterator[Looking]:
    """A fresh browser with one page. Skips where Chromium is not installed."""
    program = from_debian("chromium", "chromium")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(
            executable_path=program,
            # A container's root has no sandbox; what is looked at is our own.
            args=["--no-sandbox"],
            downloads_path=str(downloads),
        )
        page = await running.new_page(viewport={"width": width, "height": 900}, locale="zh-CN")
        page.set_default_timeout(60_000)
        looking = Looking(page)
        page.on("pageerror", lambda error: looking.errors.append(str(error)))
        page.on(
            "response",
            lambda answer: (
                looking.refused.append((answer.status, answer.url))
                if answer.status >= 400 and not answer.url.endswith("/favicon.ico")
                else None
            ),
        )
        try:
            yield looking
        finally:
            await running.close()
