"""The custom resource definitions on the shared API server, and one stored object of each kind."""

from collections.abc import Mapping

import pytest

from e2e.rig.kube import KubeClient
from inference_cost.api.group import API_VERSION
from tests.integration.api.table import CRDS, SHEETS, Row
from tests.integration.api.verdict import NAMESPACE, store


@pytest.fixture(scope="session")
def crds(kube: KubeClient) -> KubeClient:
    """The API server with our definitions and a namespace for these tests."""
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    kube.apply(*CRDS.values())
    return kube


@pytest.fixture(scope="session")
def stored(crds: KubeClient) -> Mapping[tuple[str, str], str]:
    """Resource version of each stored object, by its key."""
    return {
        sheet.key: store(crds, Row(sheet=sheet, object=sheet.base), API_VERSION)
        for sheet in SHEETS
        if not sheet.is_status
    }
