"""Settings: read once, from the environment or files, frozen, and fit to be shown."""

import base64
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.settings import (
    Settings,
    inheritable_environment,
    load_settings,
    parse_keys,
    settings_page,
    settings_table,
)

KEY = base64.b64encode(bytes(range(32))).decode()


def test_the_environment_has_names_without_a_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://a:secret@db/tax_feed")
    monkeypatch.setenv("CHUNK_RECORDS", "100")
    monkeypatch.setenv("PUBLIC_URL", "https://kuomian.example/")
    monkeypatch.setenv("SERVICE_URLS", "tax-feed=http://tax:8000, enrollment=http://enrol:8000")
    monkeypatch.setenv("AUTH_ISSUER", "")
    settings = load_settings()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://a:secret@db/tax_feed"
    assert "secret" not in repr(settings)
    assert settings.chunk_records == 100
    assert settings.public_url == "https://kuomian.example"
    assert settings.service_urls == {
        "tax-feed": "http://tax:8000",
        "enrollment": "http://enrol:8000",
    }
    assert settings.auth_issuer is None


def test_a_secret_may_be_a_file_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "service_token").write_text("from a file\n")
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    token = load_settings().service_token
    assert token is not None
    assert token.get_secret_value() == "from a file"
    monkeypatch.setenv("SERVICE_TOKEN", "from the environment")
    token = load_settings().service_token
    assert token is not None
    assert token.get_secret_value() == "from the environment"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize("text", [f"1:{KEY},3:{KEY}", f'{{"1": "{KEY}", "3": "{KEY}"}}'])
def test_keys_in_both_forms(text: str) -> None:
    assert dict(Settings(data_keys=text).data_key_ring) == parse_keys(text)
    assert max(parse_keys(text)) == 3
    assert parse_keys(text)[1] == bytes(range(32))


@pytest.mark.parametrize("text", ["", "x:" + KEY, KEY, "1:????", "1:" + KEY[:20]])
def test_keys_that_are_none_are_refused_without_showing_them(text: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_keys(text)
    assert KEY[:20] not in str(refused.value)


def test_the_key_set_inline_or_from_a_file(tmp_path: Path) -> None:
    assert Settings().jwks() is None
    assert Settings(auth_jwks='{"keys": []}').jwks() == {"keys": []}
    file = tmp_path / "jwks.json"
    file.write_text('{"keys": [1]}')
    assert Settings(auth_jwks=str(file)).jwks() == {"keys": [1]}


def test_every_setting_is_described_in_both_languages() -> None:
    for row in settings_table():
        zh, _, en = row.description.partition(" · ")
        assert re.search("[\u4e00-\u9fff]", zh), row.env
        assert re.search("[a-z]", en), row.env
        assert f"| `{row.env}` |" in settings_page()


def test_what_is_inherited_holds_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret@elsewhere/x")
    monkeypatch.setenv("SECRETS_DIR", "/secrets")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    inherited = inheritable_environment()
    assert inherited["LC_ALL"] == "C.UTF-8"
    assert not {"DATABASE_URL", "SECRETS_DIR"} & set(inherited)
