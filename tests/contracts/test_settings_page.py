"""The settings page says what the code reads."""

from pathlib import Path

from shared.settings import settings_page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


def test_docs_settings_is_the_page_the_code_prints() -> None:
    assert PAGE.read_text(encoding="utf-8").strip() == settings_page().strip(), (
        "run: python -m shared.settings > docs/settings.md"
    )
