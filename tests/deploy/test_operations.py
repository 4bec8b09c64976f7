"""What the pages for operators name is there: files, components, resources, numbers."""

from __future__ import annotations

import re

import pytest

from tests.deploy import tools
from tests.deploy.manifests import OVERLAYS, Rendered
from tests.deploy.test_kubernetes import referred

PAGES = ("docs/operations.md", "docs/alerts.md", "deploy/README.md")
OPERATIONS = tools.ROOT / "docs/operations.md"


def page(name: str) -> str:
    return (tools.ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_paths_exist(name: str) -> None:
    text = page(name)
    paths = set(re.findall(r"(?<!exec )\b((?:deploy|docs|tests|shared)/[\w./-]*\w)", text))
    paths |= {f"deploy/k8s/{found}" for found in re.findall(r"`(components/[\w-]+)`", text)}
    assert paths
    assert {path for path in paths if not (tools.ROOT / path).exists()} == set()


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#h][^)#]*)", page(name)):
        assert ((tools.ROOT / name).parent / target).exists(), target


@pytest.mark.parametrize("name", PAGES)
def test_resources_exist(name: str, overlays: dict[str, Rendered]) -> None:
    text = page(name)
    kinds = {"deployment": "Deployment", "service": "Service", "job": "Job"}
    kinds["exec deploy"] = "Deployment"
    named = re.findall(r"\b(deployment|service|job|exec deploy)/([a-z][a-z-]+)\b", text)
    for kind, resource in named:
        known = {found["metadata"]["name"] for found in overlays["city"].kind(kinds[kind])}
        assert resource in known, f"{kind}/{resource}"
    for namespace in re.findall(r"kubectl (?:-n|--namespace) ([a-z-]+)", text):
        assert namespace == "kuomian"
    labels = {
        f"{label}={value}"
        for found in overlays["city"].workloads
        for label, value in found["spec"]["template"]["metadata"]["labels"].items()
    }
    assert set(re.findall(r" -l ([\w./]+=[\w-]+)", text)) <= labels


def test_secrets_named_are_those_referred_to(overlays: dict[str, Rendered]) -> None:
    by_hand = r"(?:database|keys)-[a-z-]+"
    install = OPERATIONS.read_text("utf-8").split("## Install", 1)[1].split("\n## ", 1)[0]
    needed = {
        name
        for workload in overlays["city"].workloads
        for kind, name in referred(workload)
        if kind == "Secret" and re.fullmatch(by_hand, name)
    }
    assert set(re.findall(f"`({by_hand})`", install)) == needed


def test_make_targets_and_compose_services_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", page("Makefile"), re.MULTILINE))
    services = set(re.findall(r"^  ([a-z-]+):$", page("docker-compose.yml"), re.MULTILINE))
    for name in PAGES:
        assert set(re.findall(r"`make ([a-z]+)", page(name))) <= targets
        assert set(re.findall(r"docker compose exec ([a-z-]+)", page(name))) <= services


def test_every_component_is_named() -> None:
    there = {path.name for path in (tools.ROOT / "deploy/k8s/components").iterdir()}
    text = OPERATIONS.read_text("utf-8")
    assert {name for name in there if f"`components/{name}`" not in text} == set()


def most_connections(overlay: Rendered) -> int:
    """With everything scaled out: pool, and the line that API and relay listen on."""
    pool = int(overlay.settings.get("DATABASE_POOL_SIZE", "8"))
    scaled = {
        found["spec"]["scaleTargetRef"]["name"]: found["spec"].get(
            "maxReplicas", found["spec"].get("maxReplicaCount")
        )
        for found in overlay.kind("HorizontalPodAutoscaler", "ScaledObject")
    }
    total = 0
    for process in overlay.processes:
        name = process["metadata"]["name"]
        _, role = overlay.service_and_role(process)
        replicas = scaled.get(name) or process["spec"]["replicas"]
        total += replicas * (pool + (role != "consumer"))
    return total


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_database_holds_everything_scaled_out(name: str, overlays: dict[str, Rendered]) -> None:
    overlay = overlays[name]
    (allowed,) = {int(n) for n in re.findall(r"max_connections\W{1,4}(\d+)", overlay.text)}
    most = most_connections(overlay)
    assert most <= allowed * 0.9, "some are for migrations, backups and people"
    assert f"| `{name}` | {most} | {allowed} |" in OPERATIONS.read_text("utf-8")
