"""Reading docker-compose.yml as Compose does: variables, order, and what is wrong is seen."""

import pytest

from kuomian.compose import (
    ComposeError,
    ComposeService,
    read_compose,
    read_variables,
    substituted,
)
from kuomian.installation import COMPOSE_FILE, Places
from kuomian.installation.places import mounts
from shared.settings import Settings
from tests.deploy import tools
from tests.deploy.manifests import SERVICES, roles_of

DONE = "service_completed_successfully"
VARIABLES = {"SET": "value", "EMPTY": ""}


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    """As make-env.sh makes them."""
    return read_variables(tools.run("sh", "deploy/compose/make-env.sh"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("no variable", "no variable"),
        ("$SET", "value"),
        ("${SET}/x", "value/x"),
        ("$SET-1", "value-1"),
        ("$$SET $${SET}", "$SET ${SET}"),
        ("${UNSET}", ""),
        ("$UNSET.", "."),
        ("${UNSET:-default}", "default"),
        ("${EMPTY:-default}", "default"),
        ("${EMPTY-default}", ""),
        ("${UNSET-default}", "default"),
        ("${SET:-default}", "value"),
        ("${UNSET:-}", ""),
        ("${UNSET:-http://127.0.0.1:8000}", "http://127.0.0.1:8000"),
        ("${UNSET:-${SET}}", "value"),
        ("${UNSET:-a${UNSET:-b}}c", "abc"),
        ("${SET:?needed}", "value"),
        ("${EMPTY?needed}", ""),
        ("${SET:+other}", "other"),
        ("${EMPTY:+other}", ""),
        ("${EMPTY+other}", "other"),
        ("${UNSET+other}", ""),
    ],
)
def test_variables_are_put_in(text: str, found: str) -> None:
    assert substituted(text, VARIABLES) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${UNSET:?say $SET}", "required variable UNSET is not set: say value"),
        ("${EMPTY:?needed}", "required variable EMPTY"),
        ("${UNSET?needed}", "required variable UNSET"),
        ("${SET", "no closing brace"),
        ("${SET!x}", "not a variable"),
        ("${1}", "not a variable"),
        ("5 $", "single dollar"),
        ("$5", "single dollar"),
    ],
)
def test_what_cannot_be_put_in_is_an_error(text: str, words: str) -> None:
    with pytest.raises(ComposeError) as caught:
        substituted(text, VARIABLES)
    assert words in str(caught.value)


def test_both_ways_to_write_a_service_are_understood() -> None:
    text = """
x-base: &base {environment: {A: "1", B: $SET}, command: [run, "$$HOME"]}
services:
  late:
    <<: *base
    depends_on: {early: {condition: service_healthy}, once: {condition: %s}}
  once: {command: "sh -c 'a b'", entrypoint: [], environment: [A=1, "B=x=y"], depends_on: [early]}
  early: {scale: 2, healthcheck: {test: "true || false"}, ports: ["127.0.0.1:${SET}:80"]}
  never: {healthcheck: {disable: true, test: [CMD, x]}}
""".replace("%s", DONE)
    compose = read_compose(text, {"SET": "value"})
    assert list(compose.services) == ["early", "once", "late", "never"]
    late, once, early = (compose.services[name] for name in ("late", "once", "early"))
    assert late.environment == {"A": "1", "B": "value"}
    assert late.command == ("run", "$HOME")
    assert late.depends_on == {"early": "service_healthy", "once": DONE}
    assert once.command == ("sh", "-c", "a b")
    assert once.environment == {"A": "1", "B": "x=y"}
    assert once.depends_on == {"early": "service_started"}
    assert early == ComposeService(
        "early", healthcheck=("/bin/sh", "-c", "true || false"), ports=("127.0.0.1:value:80",),
        scale=2,
    )  # fmt: skip
    assert compose.services["never"].healthcheck == ()
    assert compose.scaled({"early": 3}).services["early"].scale == 3
    with pytest.raises(ComposeError, match="to scale: other"):
        compose.scaled({"other": 2})


@pytest.mark.parametrize(
    ("part", "instead", "words"),
    [
        ("services:", "service:", "no services"),
        ("      postgres: {condition: service_healthy}", "      postgre: {}", "postgre, which is"),
        ("      kafka: {condition: service_healthy}", "      topics: {}", "wait for each other"),
        ("      topics: {condition: service_comp", "      topics: {condition: x_comp", "x_comp"),
        (
            "      topics: {condition: service_completed_successfully}",
            "      topics: {condition: service_healthy}",
            "topics, which has no healthcheck",
        ),
        ('  PORT: "8000"', "  PORT: true", "PORT is not a text"),
        ("DATA_KEYS:?run", "DATA_KEY:?run", "required variable DATA_KEY is not set"),
    ],
)
def test_a_spoilt_file_is_seen(
    variables: dict[str, str], part: str, instead: str, words: str
) -> None:
    text = COMPOSE_FILE.read_text("utf-8")
    assert part in text
    with pytest.raises(ComposeError) as caught:
        read_compose(text.replace(part, instead), variables)
    assert words in str(caught.value)


def test_without_its_secrets_the_file_says_how_to_get_them() -> None:
    with pytest.raises(ComposeError, match=r"make-env\.sh"):
        read_compose(COMPOSE_FILE.read_text("utf-8"), {})


def test_every_process_gets_settings_it_can_start_with(variables: dict[str, str]) -> None:
    compose = read_compose(COMPOSE_FILE.read_text("utf-8"), {**variables, "CLOCK": "demo"})
    processes = [one for one in compose.services.values() if one.command[:1] == ("serve",)]
    assert len(processes) == sum(len(roles_of(service)) for service in SERVICES.values())
    order = list(compose.services)
    places = Places({"postgres:5432": "127.0.0.1:5", "kafka:9092": "127.0.0.1:6"}, {})
    for one in processes:
        given = places.environment(one.environment)
        settings = Settings.model_validate({k.lower(): v for k, v in given.items() if v})
        assert (settings.bus, settings.clock) == ("kafka", "demo")
        assert settings.kafka_bootstrap_servers == "127.0.0.1:6"
        assert settings.database_url is not None
        assert "@127.0.0.1:5/" in settings.database_url.get_secret_value()
        before = order[: order.index(one.name)]
        assert f"migrate-{one.command[1]}" in before
        assert one.command[3] == "api" or "topics" in before


def test_only_whole_names_have_a_place_here() -> None:
    places = Places(
        {"kafka:9092": "127.0.0.1:1", "tax-feed-api:8000": "127.0.0.1:2"},
        {"/var/lib/kuomian": "/data", "/opt/kafka": "/k", "/opt/kafka/bin": r"/b\1"},
    )
    cases = {
        "kafka:9092": "127.0.0.1:1",
        "CLIENT://kafka:9092,x": "CLIENT://127.0.0.1:1,x",
        "kafka:90921 my-kafka:9092": "kafka:90921 my-kafka:9092",
        "tax-feed=http://tax-feed-api:8000": "tax-feed=http://127.0.0.1:2",
        "/var/lib/kuomian": "/data",
        "/var/lib/kuomian/secrets": "/data/secrets",
        "/var/lib/kuomians /x/var/lib/kuomian": "/var/lib/kuomians /x/var/lib/kuomian",
        "/opt/kafka/bin/x.sh /opt/kafka/y": r"/b\1/x.sh /k/y",
    }
    assert {text: places.here(text) for text in cases} == cases
    volumes = ["./a.sh:/a.sh:ro", "identity:/var/lib/kuomian", "other:/x"]
    assert mounts(volumes, tools.ROOT, {"identity": tools.ROOT / "d"}) == {
        "/a.sh": str(tools.ROOT / "a.sh"),
        "/var/lib/kuomian": str(tools.ROOT / "d"),
    }
