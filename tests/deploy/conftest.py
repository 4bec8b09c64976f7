"""Overlays rendered once per session."""

from __future__ import annotations

import pytest

from tests.deploy import tools
from tests.deploy.manifests import OVERLAYS, Rendered


@pytest.fixture(scope="session")
def overlays() -> dict[str, Rendered]:
    """Every overlay by name."""
    command = tools.kustomize()
    return {
        name: Rendered(name, tools.run(*command, f"deploy/k8s/overlays/{name}"))
        for name in OVERLAYS
    }


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest, overlays: dict[str, Rendered]) -> Rendered:
    """Each overlay in turn."""
    return overlays[request.param]
