"""The Helm chart: lint, the schemas of Kubernetes, and what each way to run it makes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from builders.paths import ROOT

CHART = ROOT / "deploy" / "helm" / "klantbrug"
HELM = shutil.which("helm", path=str(Path(sys.executable).parent))
# The oldest that the chart takes, and a young one.
KUBERNETES = ("1.25", "1.33")

LEAST: dict[str, Any] = {
    "config": '[mapping]\nmax_vertrouwelijkheidaanduiding = "openbaar"\n',
    "secrets": {"existingSecret": "geheimen"},
    "publicUrl": "https://klantbrug.example.nl",
}
FULL = LEAST | {
    "ingress": {
        "enabled": True,
        "host": "klantbrug.example.nl",
        "className": "nginx",
        "tlsSecretName": "tls",
    },
    "networkPolicy": {
        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}],
        "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 443}]}],
    },
    "env": [{"name": "KLANTBRUG_LIVE__MAX_AGE", "value": "60"}],
    "nodeSelector": {"disk": "local"},
    "image": {"digest": f"sha256:{'0' * 64}"},
}
POSTGRESQL = FULL | {
    "store": {"kind": "postgresql", "postgresql": {"url": "postgresql://kb@db/kb", "replicas": 3}}
}
AUDITED = POSTGRESQL | {"audit": {"existingClaim": "auditlog"}}
WAYS = {"least": LEAST, "full": FULL, "postgresql": POSTGRESQL, "audited": AUDITED}

pytestmark = pytest.mark.skipif(HELM is None, reason="no helm for this machine (requirements-dev.lock)")


def helm(tmp_path: Path, command: list[str], values: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    assert HELM
    return subprocess.run(
        [HELM, *command, str(CHART), "--values", str(file)], capture_output=True, text=True, check=False
    )


def made(tmp_path: Path, values: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """By kind and name each object that the chart makes."""
    done = helm(tmp_path, ["template", "gemeente"], values)
    assert done.returncode == 0, done.stderr
    objects = [each for each in yaml.safe_load_all(done.stdout) if each]
    return {(each["kind"], each["metadata"]["name"]): each for each in objects}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_it_passes_lint_and_the_schemas(tmp_path: Path, way: str) -> None:
    linted = helm(tmp_path, ["lint", "--strict"], WAYS[way])
    assert linted.returncode == 0, linted.stdout
    for each in made(tmp_path, WAYS[way]).values():
        for version in KUBERNETES:
            kubernetes_validate.validate(each, version, strict=True)


@pytest.mark.parametrize("way", WAYS)
def test_no_pod_has_more_rights_than_it_needs(tmp_path: Path, way: str) -> None:
    pods = [
        each["spec"]["template"]["spec"]
        for each in made(tmp_path, WAYS[way]).values()
        if each["kind"] == "Deployment"
    ]
    assert pods
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        assert pod["terminationGracePeriodSeconds"] >= 45
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_a_file_has_one_pod_and_never_two(tmp_path: Path) -> None:
    objects = made(tmp_path, FULL)
    gateway = objects["Deployment", "gemeente"]["spec"]
    assert (gateway["replicas"], gateway["strategy"]) == (1, {"type": "Recreate"})
    assert gateway["template"]["spec"]["containers"][0]["args"] == ["--log-json", "serve"]
    claim = objects["PersistentVolumeClaim", "gemeente"]
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert not [kind for kind, _ in objects if kind == "PodDisruptionBudget"]
    assert ("Deployment", "gemeente-jobs") not in objects


def test_postgresql_has_gateways_and_jobs_apart(tmp_path: Path) -> None:
    objects = made(tmp_path, POSTGRESQL)
    gateway, jobs = (objects["Deployment", name]["spec"] for name in ("gemeente", "gemeente-jobs"))
    assert gateway["replicas"] == 3
    assert gateway["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert [each["template"]["spec"]["containers"][0]["args"][1:] for each in (gateway, jobs)] == [
        ["serve", "--no-jobs"],
        ["jobs", "serve"],
    ]
    assert not [kind for kind, _ in objects if kind == "PersistentVolumeClaim"]
    budget = objects["PodDisruptionBudget", "gemeente"]["spec"]
    labels = gateway["template"]["metadata"]["labels"]
    assert budget["selector"]["matchLabels"].items() <= labels.items()
    assert not budget["selector"]["matchLabels"].items() <= jobs["template"]["metadata"]["labels"].items()


def test_the_audit_log_of_all_pods_stands_on_one_volume_with_one_key(tmp_path: Path) -> None:
    objects = made(tmp_path, AUDITED)
    for name in ("gemeente", "gemeente-jobs"):
        pod = objects["Deployment", name]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        told = {each["name"]: each["value"] for each in container["env"]}
        assert told["KLANTBRUG_AUDIT__KEY_FILE"] == "/etc/klantbrug/secrets/audit.key"
        mounted = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
        volumes = {each["name"]: each for each in pod["volumes"]}
        claim = volumes[mounted[told["KLANTBRUG_AUDIT__DIRECTORY"]]]["persistentVolumeClaim"]
        assert claim == {"claimName": "auditlog"}


def test_the_service_finds_the_gateway_and_no_jobs(tmp_path: Path) -> None:
    objects = made(tmp_path, POSTGRESQL)
    selector = objects["Service", "gemeente"]["spec"]["selector"].items()
    assert selector <= objects["Deployment", "gemeente"]["spec"]["template"]["metadata"]["labels"].items()
    assert (
        not selector
        <= objects["Deployment", "gemeente-jobs"]["spec"]["template"]["metadata"]["labels"].items()
    )


def test_nobody_gets_in_unless_named(tmp_path: Path) -> None:
    policy = made(tmp_path, LEAST)["NetworkPolicy", "gemeente"]["spec"]
    assert policy["ingress"] == []
    assert [port["port"] for rule in policy["egress"] for port in rule["ports"]] == [53, 53]


def test_a_change_of_the_config_makes_new_pods(tmp_path: Path) -> None:
    sums = {
        made(tmp_path, LEAST | {"config": text})["Deployment", "gemeente"]["spec"]["template"]["metadata"][
            "annotations"
        ]["checksum/config"]
        for text in (LEAST["config"], LEAST["config"] + "# anders\n")
    }
    assert len(sums) == 2


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (LEAST | {"secrets": {"existingSecret": ""}}, "secrets.existingSecret"),
        (LEAST | {"publicUrl": ""}, "publicUrl"),
        (LEAST | {"publicUrl": "http://klantbrug.example.nl"}, "publicUrl"),
        (LEAST | {"store": {"kind": "oracle"}}, "store.kind"),
        (LEAST | {"store": {"kind": "postgresql"}}, "store.postgresql.url"),
        (
            POSTGRESQL | {"store": {"kind": "postgresql", "postgresql": {"url": "postgresql://kb:x@db/kb"}}},
            "url",
        ),
        (LEAST | {"ingress": {"enabled": True}}, "ingress.host"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, values: dict[str, Any], named: str) -> None:
    done = helm(tmp_path, ["template", "gemeente"], values)
    assert done.returncode != 0
    assert named.replace(".", "/") in done.stderr.replace(".", "/")
