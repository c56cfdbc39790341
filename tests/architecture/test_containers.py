"""The files in `docker/`: linters and schemas of others, and what this service needs of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate  # type: ignore[import-untyped]  # has no stubs
import pytest
from ruamel.yaml import YAML

from cds_service.authorization.key_file import KeyFile
from cds_service.settings import load_settings
from tests.architecture.checkout import ROOT

DOCKER = ROOT / "docker"
MANIFESTS = sorted((DOCKER / "kubernetes").glob("*.yaml"))
# The published schema of Compose files (compose-spec, Apache-2.0) as of 2021; `name` came later.
COMPOSE_SCHEMA = ROOT / "tests/fixtures/compose-spec.json"
KUBERNETES_VERSION = "1.31"

Json = dict[str, Any]


def documents(path: Path) -> list[Json]:
    return [document for document in YAML(typ="safe").load_all(path.read_text(encoding="utf-8")) if document]


def resources() -> list[Json]:
    found = [document for path in MANIFESTS for document in documents(path)]
    return [document for document in found if document["kind"] != "Kustomization"]


def resource(kind: str) -> Json:
    (found,) = (document for document in resources() if document["kind"] == kind)
    return found


def test_dockerfile_satisfies_hadolint() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    answer = subprocess.run([hadolint, DOCKER / "Dockerfile"], capture_output=True, text=True, check=False)

    assert (answer.returncode, answer.stdout) == (0, "")


def test_docker_context_holds_what_the_dockerfile_copies_and_no_more() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    lines = (DOCKER / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copies = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]

    assert ignored[1] == "*"
    assert {source for sources in copies for source in sources} == allowed
    assert all((ROOT / path).exists() for path in allowed)


@pytest.mark.parametrize("document", resources(), ids=lambda document: document["kind"])
def test_kubernetes_manifest_fits_the_schema_of_its_kind(document: Json) -> None:
    kubernetes_validate.validate(document, KUBERNETES_VERSION, strict=True)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("spec", "template", "spec", "containers"), [{"name": "x", "imagee": "y"}], "a misspelled key"),
        (("spec", "replicas"), "two", "a text for a number"),
    ],
)
def test_kubernetes_schema_refuses_a_bad_manifest(path: tuple[str, ...], value: Any, reason: str) -> None:
    document = json.loads(json.dumps(resource("StatefulSet")))
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, KUBERNETES_VERSION, strict=True)


def test_kustomization_lists_every_manifest() -> None:
    listed = documents(DOCKER / "kubernetes/kustomization.yaml")[0]["resources"]

    assert sorted([*listed, "kustomization.yaml"]) == [path.name for path in MANIFESTS]


def test_every_container_is_restricted_and_limited() -> None:
    pod = resource("StatefulSet")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    for container in (*pod["initContainers"], *pod["containers"]):
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert set(container["resources"]) == {"requests", "limits"}
        assert "env" not in container, "secrets come as files"
        assert not [mount for mount in container["volumeMounts"] if "subPath" in mount], "those are never updated"


def test_selectors_lead_to_the_pods() -> None:
    labels = resource("StatefulSet")["spec"]["template"]["metadata"]["labels"]
    selectors = [
        *(document["spec"]["selector"] for document in resources() if document["kind"] == "Service"),
        resource("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        resource("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ]

    assert all(selector.items() <= labels.items() for selector in selectors)
    assert resource("StatefulSet")["spec"]["serviceName"] == "sii-cds-pods"


def test_names_are_asked_of_the_name_service_only() -> None:
    """A rule that names the namespace alone lets every pod of it be reached, under UDP, by whoever is inside."""
    dns = [
        rule for rule in resource("NetworkPolicy")["spec"]["egress"] if {port["port"] for port in rule["ports"]} == {53}
    ]

    assert [{name for name in peer if peer[name]} for rule in dns for peer in rule["to"]] == [
        {"namespaceSelector", "podSelector"}
    ]


def test_compose_file_fits_the_published_schema() -> None:
    (compose,) = documents(DOCKER / "compose.yaml")
    schema = json.loads(COMPOSE_SCHEMA.read_text(encoding="utf-8"))
    # It names a draft that no validator has under that name.
    validator = jsonschema.Draft7Validator(schema)
    validator.validate(compose)

    compose["services"]["service"]["read_onlyy"] = True
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(compose)


def test_compose_service_is_restricted() -> None:
    (compose,) = documents(DOCKER / "compose.yaml")
    service = compose["services"]["service"]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert all(not volume.startswith("./site/") for volume in service["volumes"]), "a mounted file hides its successor"


def test_configurations_of_the_containers_pass_the_check(tmp_path: Path) -> None:
    keys = resource("ConfigMap")["data"]
    texts = {"compose": (DOCKER / "site/sii-cds.yaml").read_text(encoding="utf-8"), "kubernetes": keys["sii-cds.yaml"]}
    for name, text in texts.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "ehr-jwks.json").write_text(keys["ehr-jwks.json"], encoding="utf-8")
        for place in ("/run/secrets/audit-key", "/etc/sii-cds-secrets/audit-key"):
            text = text.replace(place, str(folder / "audit-key"))
        (folder / "audit-key").write_text("0" * 64, encoding="utf-8")
        (folder / "sii-cds.yaml").write_text(text, encoding="utf-8")
        settings = load_settings(folder / "sii-cds.yaml", {})

        assert settings.service.mode == "silent", name
        (warning,) = settings.warnings
        assert "is the example address" in warning, "the one thing that every site has to replace"
        assert KeyFile("main-ehr", folder / "ehr-jwks.json").find("replace-me")


def test_health_check_needs_nothing_but_the_standard_library() -> None:
    command = [sys.executable, "-I", "-S", str(DOCKER / "healthcheck.py")]
    # Nothing listens on port 1.
    answer = subprocess.run(command, env={"SII_CDS__SERVER__PORT": "1"}, capture_output=True, check=False)

    assert (answer.returncode, answer.stdout, answer.stderr) == (1, b"", b"")
