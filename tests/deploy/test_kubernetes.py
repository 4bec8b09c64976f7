"""The manifests: valid, hardened, complete, and telling of the services what these declare."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kuomian.cluster_secrets import objects
from kuomian.server import DRAIN_SECONDS
from shared.bus.choice import build_bus
from shared.settings import Settings, load_settings
from shared.workers import GRACE_SECONDS
from tests.deploy import tools
from tests.deploy.manifests import (
    CUSTOM_GROUPS,
    SERVICES,
    Manifest,
    Rendered,
    containers,
    roles_of,
)

PASSED_OVER = {
    "CKV_K8S_43": "the tag is the release; whoever mirrors images pins digests with `images:`",
    "CKV_K8S_15": "release tags do not move, and a node without the registry must still start",
}
PASSED_OVER_ON_ONE_MACHINE = {
    "CKV_K8S_40": "the images' own users, 999 and 1000",
    "CKV_K8S_22": "the Kafka image writes its configuration when it starts",
    "CKV_K8S_35": "PostgreSQL's init script takes its passwords from the environment",
}
MADE_BY_STRIMZI = {"kuomian-cluster-ca-cert", *(f"kafka-{name}" for name in SERVICES)}
ENVIRONMENT = {name.upper() for name in Settings.model_fields} | {"SECRETS_DIR"}


def test_they_are_valid(overlay: Rendered, tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    path.write_text(overlay.text, "utf-8")
    said = tools.run(str(tools.checkers() / "kubernetes-validate"), "--strict", str(path))
    for line in said.splitlines():
        assert "passed" in line or any(group in line for group in CUSTOM_GROUPS), line
    known = [found for found in overlay.all if found["apiVersion"] not in CUSTOM_GROUPS]
    assert said.count("passed") >= len(known) > 40


@pytest.mark.slow
def test_checkov_finds_nothing(overlays: dict[str, Rendered], tmp_path: Path) -> None:
    for name, rendered in overlays.items():
        (tmp_path / f"{name}.yaml").write_text(rendered.text, "utf-8")
    said = tools.run(
        str(tools.checkov() / "checkov"),
        *("--directory", str(tmp_path), "--framework", "kubernetes", "--skip-download"),
        *("--quiet", "--compact", "--output", "json"),
        ok=(0, 1),
    )
    found = json.loads(said)
    passed_over = {"local.yaml": PASSED_OVER | PASSED_OVER_ON_ONE_MACHINE}
    failed = [
        f"{check['file_path']} {check['resource']} {check['check_id']} {check['check_name']}"
        for check in found["results"]["failed_checks"]
        if check["check_id"] not in passed_over.get(Path(check["file_path"]).name, PASSED_OVER)
    ]
    assert not failed, "\n".join(failed)
    assert found["summary"]["passed"] > 3000
    assert found["summary"]["parsing_errors"] == 0


def test_every_role_a_service_has_is_a_deployment(overlay: Rendered) -> None:
    found: dict[str, set[str]] = {}
    for process in overlay.processes:
        name, role = overlay.service_and_role(process)
        found.setdefault(name, set()).add(role)
        assert process["metadata"]["name"] == f"{name}-{role}"
        (container,) = containers(process)
        assert container["args"] == ["serve", name, "--role", role]
        assert container["image"].startswith(f"kuomian/{name}:")
    assert found == {name: roles_of(service) for name, service in SERVICES.items()}
    migrated = {next(containers(job))["args"][1] for job in overlay.kind("Job")}
    assert migrated == set(SERVICES)


def test_probes_ask_the_three_questions(overlay: Rendered) -> None:
    for process in overlay.processes:
        name, _ = overlay.service_and_role(process)
        (container,) = containers(process)
        asked = {
            probe: container[f"{probe}Probe"]["httpGet"]["path"]
            for probe in ("startup", "readiness", "liveness")
        }
        assert asked == {
            "startup": f"/{name}/health/started",
            "readiness": f"/{name}/health/ready",
            "liveness": f"/{name}/health/live",
        }


def test_there_is_time_to_stop_in_order(overlay: Rendered) -> None:
    for process in overlay.processes:
        pod = process["spec"]["template"]["spec"]
        waits = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        needed = waits + DRAIN_SECONDS + GRACE_SECONDS
        assert pod["terminationGracePeriodSeconds"] >= needed + 10


def test_pods_are_confined(overlay: Rendered) -> None:
    for workload in overlay.workloads:
        name, pod = workload["metadata"]["name"], workload["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"].keys() == {"requests", "limits"}, name
            if workload["kind"] != "StatefulSet":
                assert context["readOnlyRootFilesystem"] is True, name
                assert pod["securityContext"]["runAsUser"] > 10000, name
    (namespace,) = overlay.kind("Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {found["metadata"].get("namespace", "kuomian") for found in overlay.all} == {"kuomian"}


def test_who_scales_is_one(overlay: Rendered) -> None:
    scaled = [
        scaler["spec"]["scaleTargetRef"]["name"]
        for scaler in overlay.kind("HorizontalPodAutoscaler", "ScaledObject")
    ]
    assert len(scaled) == len(set(scaled))
    names = {process["metadata"]["name"] for process in overlay.processes}
    assert set(scaled) <= names
    for process in overlay.processes:
        decided = process["metadata"]["name"] in scaled
        assert ("replicas" in process["spec"]) is not decided, process["metadata"]["name"]
    guarded = {
        tuple(sorted(budget["spec"]["selector"]["matchLabels"].items()))
        for budget in overlay.kind("PodDisruptionBudget")
    }
    for process in overlay.processes:
        assert tuple(sorted(process["spec"]["selector"]["matchLabels"].items())) in guarded


def supplied(overlay: Rendered, folder: Path) -> set[tuple[str, str]]:
    """What is not in the manifests because it is secret, or the place's own."""
    made = objects(folder, "kuomian", "kuomian-postgres-rw", "")
    by_hand = {(found["kind"], found["metadata"]["name"]) for found in made}
    external = {("Secret", e["spec"]["target"]["name"]) for e in overlay.kind("ExternalSecret")}
    strimzi = {("Secret", name) for name in MADE_BY_STRIMZI} if overlay.kind("Kafka") else set()
    if external:
        secrets = {found for found in by_hand if found[0] == "Secret"}
        assert external == secrets - {("Secret", "postgres-passwords")}
        by_hand -= secrets
    return by_hand | external | strimzi


def referred(workload: Manifest) -> Iterator[tuple[str, str]]:
    pod = workload["spec"]["template"]["spec"]
    if "serviceAccountName" in pod:
        yield "ServiceAccount", pod["serviceAccountName"]
    for container in pod["containers"]:
        for source in container.get("envFrom", ()):
            kind = "ConfigMap" if "configMapRef" in source else "Secret"
            yield kind, next(iter(source.values()))["name"]
    for volume in pod.get("volumes", ()):
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"]
        for source in volume.get("projected", {}).get("sources", ()):
            yield "Secret", source["secret"]["name"]


def test_what_is_referred_to_is_there_or_supplied(overlay: Rendered, tmp_path: Path) -> None:
    there = {(found["kind"], found["metadata"]["name"]) for found in overlay.all}
    needed = {found for workload in overlay.workloads for found in referred(workload)}
    assert needed - there - supplied(overlay, tmp_path) == set()
    assert not overlay.kind("Secret")


def environment_of(overlay: Rendered, process: Manifest) -> dict[str, str]:
    (container,) = containers(process)
    return {
        **overlay.settings,
        **{variable["name"]: variable["value"] for variable in container.get("env", ())},
    }


def secret_files(process: Manifest, made: list[dict[str, Any]]) -> dict[str, str]:
    """The files below /run/secrets, as the volume would lay them out."""
    values = {found["metadata"]["name"]: found.get("stringData", {}) for found in made}
    values |= {name: {"password": "from-strimzi"} for name in MADE_BY_STRIMZI}
    files: dict[str, str] = {}
    (volume,) = (
        volume
        for volume in process["spec"]["template"]["spec"]["volumes"]
        if volume["name"] == "secrets"
    )
    for source in volume["projected"]["sources"]:
        secret = values[source["secret"]["name"]]
        items = source["secret"].get("items") or [{"key": key, "path": key} for key in secret]
        files |= {item["path"]: secret[item["key"]] for item in items}
    return files


def required_of(service: str) -> set[str]:
    """What a process cannot do without (docs/operations.md, "Processes and roles")."""
    required = {"PUBLIC_URL", "DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "TOPIC_PARTITIONS"}
    required |= {"AUTH_JWKS", "AUTH_ISSUER", "AUTH_AUDIENCE", "BUS"}
    if service == "reporting":
        own = {"SERVICE_URLS", "SERVICE_TOKEN", "DATA_KEYS", "RECEIPT_SIGNING_KEYS"}
        return required | own
    return required | {"DATA_KEYS", "HASH_KEYS", "RECEIPT_SIGNING_KEYS"}


def test_every_variable_is_a_setting_and_every_needed_one_is_given(
    overlay: Rendered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = objects(tmp_path / "data", "kuomian", "kuomian-postgres-rw", "")
    for process in overlay.processes:
        service, role = overlay.service_and_role(process)
        given = environment_of(overlay, process)
        files = secret_files(process, made)
        folder = tmp_path / f"{service}-{role}"
        folder.mkdir()
        for name, value in files.items():
            (folder / name).write_text(value, "utf-8")
        names = set(given) | {name.upper() for name in files}
        assert names <= ENVIRONMENT, names - ENVIRONMENT
        assert required_of(service) <= names, required_of(service) - names
        if overlay.settings["KAFKA_SECURITY_PROTOCOL"] == "SASL_SSL":
            assert {"KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD", "KAFKA_CA_FILE"} <= names
        with monkeypatch.context() as patched:
            for name in ENVIRONMENT:
                patched.delenv(name, raising=False)
            for name, value in given.items():
                patched.setenv(name, value)
            patched.setenv("SECRETS_DIR", str(folder))
            settings = load_settings()
        assert settings.database_url is not None
        assert service.replace("-", "_") in settings.database_url.get_secret_value()
        if settings.kafka_security_protocol == "PLAINTEXT":
            assert build_bus(settings) is not None
        if service == "reporting":
            assert set(settings.service_urls) == set(SERVICES) - {"reporting"}
        assert settings.data_key_ring
        assert bool(settings.hash_key_ring) == (service != "reporting")


def test_services_are_found_where_settings_say(overlay: Rendered) -> None:
    """Addresses in SERVICE_URLS and the ingress are Services that select ready APIs."""
    apis = {f"{name}-api" for name in SERVICES}
    labels = {process["metadata"]["name"]: process for process in overlay.processes}
    for name in apis:
        service = overlay.one("Service", name)
        pod = labels[name]["spec"]["template"]["metadata"]["labels"]
        assert service["spec"]["selector"].items() <= pod.items()
    (reporting,) = (p for p in overlay.processes if p["metadata"]["name"] == "reporting-api")
    urls = environment_of(overlay, reporting)["SERVICE_URLS"]
    for pair in urls.split(","):
        name, _, url = pair.partition("=")
        assert url == f"http://{name}-api:8000"
    (ingress,) = overlay.kind("Ingress")
    paths = {}
    for rule in ingress["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            paths[path["path"]] = path["backend"]["service"]["name"]
            assert path["backend"]["service"]["name"] in apis
    assert paths.pop("/") == "reporting-api"
    assert paths.pop("/reporting/metrics") != "reporting-api"
    assert paths == {
        f"/{name}/{path}": f"{name}-api"
        for name in SERVICES
        if name != "reporting"
        for path in ("v1", "docs", "problems")
    }
