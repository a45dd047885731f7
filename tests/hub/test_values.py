"""The values for Kubernetes, as far as they can be checked without a cluster, Helm or the chart.

CHART holds, in our own notation, the keys of the chart's schema (additionalProperties is false in it, so that a key
that it does not have stops the installation) that values.yaml may use, with their types. It was written by reading
values.schema.yaml of the chart; a newer chart may differ.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from start import ROOT

HUB = ROOT / "deploy" / "hub"
VALUES = yaml.safe_load((HUB / "values.yaml").read_text(encoding="utf-8"))
EXCHANGE = list(yaml.safe_load_all((HUB / "exchange.yaml").read_text(encoding="utf-8")))
RECIPE = (HUB / "repo2docker_config.py").read_text(encoding="utf-8")

text, number, whole, flag, names, anything, none = str, (int, float), int, bool, list, dict, type(None)
EGRESS = ["cloudMetadataServer", "dnsPortsCloudMetadataServer", "dnsPortsKubeSystemNamespace", "dnsPortsPrivateIPs"]
EGRESS += ["nonPrivateIPs", "privateIPs"]
POLICY = {"enabled": flag, "egressAllowRules": dict.fromkeys(EGRESS, flag), "ingress": names, "egress": names}
CHART: dict[str, Any] = {
    "hub": {
        "config": anything,
        "extraFiles": {"*": {"mountPath": text, "stringData": text, "mode": whole}},
        "extraConfig": {"*": text},
        "concurrentSpawnLimit": whole,
        "allowNamedServers": flag,
        "db": {"type": text, "pvc": {"storage": text, "storageClassName": text, "accessModes": names}, "url": text},
        "resources": anything,
        "networkPolicy": POLICY,
    },
    "proxy": {
        "https": {"enabled": flag, "type": text, "hosts": names, "letsencrypt": {"contactEmail": text}},
        "chp": {"resources": anything, "networkPolicy": POLICY},
    },
    "singleuser": {
        "image": {"name": text, "tag": text, "pullPolicy": text},
        "defaultUrl": text,
        "startTimeout": whole,
        "memory": {"guarantee": (*number, text), "limit": (*number, text)},
        "cpu": {"guarantee": number, "limit": number},
        "uid": (whole, none),
        "fsGid": (whole, none),
        "allowPrivilegeEscalation": (flag, none),
        "extraEnv": {"*": text},
        "storage": {
            "type": text,
            "capacity": text,
            "homeMountPath": text,
            "dynamic": {"storageClass": text, "storageAccessModes": names},
            "extraVolumes": names,
            "extraVolumeMounts": names,
        },
        "lifecycleHooks": {"postStart": anything, "preStop": anything},
        "cloudMetadata": {"blockWithIptables": flag, "ip": text},
        "networkPolicy": POLICY,
    },
    "cull": {"enabled": flag, "timeout": whole, "every": whole, "maxAge": whole, "users": flag},
    "prePuller": {"hook": {"enabled": flag}, "continuous": {"enabled": flag}},
    "scheduling": {
        "userScheduler": {"enabled": flag},
        "podPriority": {"enabled": flag},
        "userPlaceholder": {"enabled": flag, "replicas": whole},
    },
}
CHOICES = {
    ("hub", "db", "type"): {"sqlite-pvc", "sqlite-memory", "mysql", "postgres", "other"},
    ("proxy", "https", "type"): {"letsencrypt", "manual", "offload", "secret"},
    ("singleuser", "storage", "type"): {"dynamic", "static", "none"},
}
PLACEHOLDERS = ["OAUTH_CLIENT_ID", "OAUTH_AUTHORIZE_ADDRESS", "OAUTH_TOKEN_ADDRESS", "OAUTH_USERDATA_ADDRESS"]
PLACEHOLDERS += ["HUB_ADDRESS", "HUB_HOST", "INSTRUCTOR_NAME", "CONTACT_EMAIL", "COURSE_ID"]
PLACEHOLDERS += ["IMAGE_REGISTRY", "IMAGE_TAG", "SHARED_STORAGE_CLASS"]
UNITS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "m": 1e-3}


def faults(values: dict[str, Any], chart: dict[str, Any], place: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield what the chart's schema would refuse."""
    for name, value in values.items():
        here = (*place, name)
        known = chart.get(name, chart.get("*"))
        if known is None:
            yield f"{'.'.join(here)}: the chart has no such key"
        elif isinstance(known, dict):
            if isinstance(value, dict):
                yield from faults(value, known, here)
            else:
                yield f"{'.'.join(here)}: must hold {', '.join(known)}"
        elif not isinstance(value, known) or (isinstance(value, bool) and known in (number, whole)):
            yield f"{'.'.join(here)}: has another type"
        elif here in CHOICES and value not in CHOICES[here]:
            yield f"{'.'.join(here)}: must be one of {', '.join(sorted(CHOICES[here]))}"


def quantity(value: str | float) -> float:
    """Return a resource quantity of Kubernetes as a number; raises ValueError for what is none."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([A-Za-z]{0,2})", str(value))
    if not found or found[2] not in UNITS:
        raise ValueError(value)
    return float(found[1]) * UNITS[found[2]]


def test_values_hold_only_what_the_chart_knows() -> None:
    assert list(faults(VALUES, CHART)) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"singleuser": {"memory": {"guarantee": "1G", "limits": "2G"}}}, "singleuser.memory.limits: the chart has no"),
        ({"singleusers": {}}, "singleusers: the chart has no"),
        ({"cull": {"enabled": "yes"}}, "cull.enabled: has another type"),
        ({"cull": {"timeout": True}}, "cull.timeout: has another type"),
        ({"singleuser": {"cpu": 1}}, "singleuser.cpu: must hold"),
        ({"hub": {"db": {"type": "mongodb"}}}, "hub.db.type: must be one of"),
    ],
)
def test_the_check_finds_what_is_wrong(wrong: dict[str, Any], said: str) -> None:
    assert [fault for fault in faults(wrong, CHART) if fault.startswith(said)]


def test_limits_are_not_below_guarantees() -> None:
    user = VALUES["singleuser"]
    pairs = [(user[what]["guarantee"], user[what]["limit"]) for what in ("memory", "cpu")]
    containers = [VALUES["hub"], VALUES["proxy"]["chp"], *EXCHANGE[1]["spec"]["template"]["spec"]["containers"]]
    for resources in (each["resources"] for each in containers):
        pairs += [(resources["requests"][what], resources["limits"][what]) for what in ("cpu", "memory")]
    assert all(0 < quantity(low) <= quantity(high) for low, high in pairs)
    assert quantity("512Mi") == 536870912 and quantity("200m") == 0.2


def test_every_placeholder_is_one_that_the_page_explains() -> None:
    files = [(HUB / name).read_text(encoding="utf-8") for name in ("values.yaml", "exchange.yaml")]
    values = re.sub(r"#.*|VERTEBRA_\w+", "", "\n".join(files))
    words = re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", values)
    assert set(words) == set(PLACEHOLDERS)
    page = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    assert [word for word in PLACEHOLDERS if f"`{word}`" not in page] == []


def test_the_exchange_is_the_volume_that_servers_mount() -> None:
    claim, job = EXCHANGE
    storage = VALUES["singleuser"]["storage"]
    mounted = {each["name"]: each["persistentVolumeClaim"]["claimName"] for each in storage["extraVolumes"]}
    places = {mounted[each["name"]]: each["mountPath"] for each in storage["extraVolumeMounts"]}
    assert places == {claim["metadata"]["name"]: VALUES["singleuser"]["extraEnv"]["VERTEBRA_EXCHANGE"]}
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    pod = job["spec"]["template"]["spec"]
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]


def test_the_hubs_python_runs_and_gives_numbers(tmp_path: Path) -> None:
    """The code of extraConfig, run beside the file that extraFiles puts on the path."""
    mounted = Path(VALUES["hub"]["extraFiles"]["student_uids"]["mountPath"])
    (tmp_path / mounted.name).write_bytes((HUB / "student_uids.py").read_bytes())
    ask = "from types import SimpleNamespace as N\nc = N(KubeSpawner=N())\n" + VALUES["hub"]["extraConfig"]["numbers"]
    ask += "\nann = N(user=N(name='ann'))\nk = c.KubeSpawner\nprint(k.uid(ann), k.gid(ann), k.fs_gid(ann))"
    ran = subprocess.run([sys.executable, "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=True)
    numbers = set(ran.stdout.split())
    assert len(numbers) == 1 and int(numbers.pop()) >= 100_000


def test_students_reach_neither_the_network_nor_each_other() -> None:
    policy = VALUES["singleuser"]["networkPolicy"]
    assert policy["enabled"] and VALUES["hub"]["networkPolicy"]["enabled"] and VALUES["proxy"]["chp"]["networkPolicy"]
    allowed = {name for name, on in policy["egressAllowRules"].items() if on}
    assert all(name.startswith("dnsPorts") for name in allowed)
    assert VALUES["singleuser"]["allowPrivilegeEscalation"] is False


def test_no_image_holds_a_graded_bank() -> None:
    """Whoever runs a server can read the image."""
    left_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    graded = [path for path in (ROOT / "quizzes").rglob("*.yml") if "use: graded" in path.read_text(encoding="utf-8")]
    assert graded
    assert all(any(path.is_relative_to(ROOT / line) for line in left_out if line[:1] != "#") for path in graded)
    assert {".git", "quizzes/graded"} <= set(left_out)


def test_the_image_is_where_the_values_look_for_it() -> None:
    place = re.search(r'target_repo_dir = "(.+?)"', RECIPE)
    assert place and f"{place[1]}/lessons" in VALUES["singleuser"]["lifecycleHooks"]["postStart"]["exec"]["command"][2]
    paths = re.search(r"JUPYTER_CONFIG_PATH=(\S+)", RECIPE)
    assert paths and [(ROOT / Path(each).relative_to(place[1])).is_dir() for each in paths[1].split(":")] == [True] * 2
    lock = (ROOT / "requirements-test.lock").read_text(encoding="utf-8")
    pin = re.search(r"nbgrader==[\d.]+", RECIPE)
    assert pin and pin[0] in lock
