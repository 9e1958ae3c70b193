"""What can be known of a cluster without one.

Objects are checked against Kubernetes' own schema, pods as KubeSpawner makes them, options against
the hub's classes. The chart itself is not at hand: its keys are compared with a list of those that
chart 4.x knows.
"""

import asyncio
import copy
import re
import subprocess
import sys
from types import SimpleNamespace

import kubernetes_validate
import pytest
import yaml
from jupyterhub.app import JupyterHub
from jupyterhub.auth import Authenticator, DummyAuthenticator
from kubernetes_asyncio.client import ApiClient
from kubespawner import KubeSpawner
from traitlets.config.loader import PyFileConfigLoader

from autograder.exchange.collect import _NAME
from autograder.exchange.identity import PODS
from hub.single_user import roles
from tests.conftest import ROOT

HERE = ROOT / "hub" / "kubernetes"
VERSION = "1.33"
VALUES = yaml.safe_load((HERE / "values.yaml").read_text(encoding="utf-8"))
# Keys of the chart's schema (values.schema.yaml of 4.x) that we use, and kinds of their values.
# A dict goes on; `dict` may hold anything.
KNOWN = {
    "hub": {
        "config": dict, "extraEnv": dict, "extraFiles": dict, "activeServerLimit": int,
        "concurrentSpawnLimit": int, "networkPolicy": {"enabled": bool},
    },
    "proxy": {"service": {"type": str}},
    "ingress": {"enabled": bool, "hosts": list, "tls": list},
    "singleuser": {
        "image": {"name": str, "tag": str}, "cmd": str, "defaultUrl": str, "uid": int,
        "fsGid": int, "allowPrivilegeEscalation": bool, "startTimeout": int,
        "memory": {"guarantee": str, "limit": str},
        "cpu": {"guarantee": (int, float), "limit": (int, float)},
        "storage": {"capacity": str, "homeMountPath": str},
        "extraPodConfig": dict, "cloudMetadata": {"blockWithIptables": bool},
        "networkPolicy": {
            "enabled": bool,
            "egressAllowRules": dict.fromkeys(
                ("cloudMetadataServer", "dnsPortsCloudMetadataServer",
                 "dnsPortsKubeSystemNamespace", "dnsPortsPrivateIPs", "nonPrivateIPs",
                 "privateIPs"), bool,
            ),
        },
    },
    "cull": {"enabled": bool, "timeout": int, "every": int},
    "prePuller": {"hook": {"enabled": bool}, "continuous": {"enabled": bool}},
    "scheduling": {"userScheduler": {"enabled": bool}},
}  # fmt: skip


def problems(values, known, where=""):
    found = []
    for key, value in values.items():
        path = f"{where}{key}"
        if key not in known:
            found.append(f"{path}: not a key of the chart")
        elif isinstance(known[key], dict):
            found += problems(value, known[key], f"{path}.")
        elif not isinstance(value, known[key]):
            found.append(f"{path}: {value!r}")
    return found


def objects(name):
    return [each for each in yaml.safe_load_all((HERE / name).read_text(encoding="utf-8")) if each]


ALL = [each for name in ("exchange.yaml", "network_policies.yaml", "grading.yaml")
       for each in objects(name)]  # fmt: skip


def test_values_use_keys_of_the_chart():
    assert problems(VALUES, KNOWN) == []
    wrong = copy.deepcopy(VALUES)
    wrong["singleuser"]["memorry"] = {"limit": "2G"}
    wrong["cull"]["timeout"] = "half an hour"
    assert problems(wrong, KNOWN) == [
        "singleuser.memorry: not a key of the chart", "cull.timeout: 'half an hour'",
    ]  # fmt: skip


@pytest.mark.parametrize("item", ALL, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_objects_are_as_kubernetes_wants_them(item):
    kubernetes_validate.validate(item, VERSION, strict=True)
    wrong = copy.deepcopy(item)  # negative control
    wrong["spec"]["selectorr"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


@pytest.fixture
def config(monkeypatch):
    # How to reach a cluster: there is none, and none is asked.
    monkeypatch.setattr("kubespawner.spawner.load_config", lambda *args, **kwargs: None)
    for name, value in VALUES["hub"]["extraEnv"].items():
        monkeypatch.setenv(name, value)
    return PyFileConfigLoader("course_config.py", path=str(HERE)).load_config()


def pod_of(config, name):
    """The pod that KubeSpawner would ask the cluster for."""
    chosen = VALUES["singleuser"]
    loaded = copy.deepcopy(config)
    hook = config.KubeSpawner.pre_spawn_hook
    loaded.KubeSpawner.update(
        image=f"{chosen['image']['name']}:{chosen['image']['tag']}", uid=chosen["uid"],
        fs_gid=chosen["fsGid"], mem_limit=chosen["memory"]["limit"],
        mem_guarantee=chosen["memory"]["guarantee"], cpu_limit=chosen["cpu"]["limit"],
        extra_pod_config=chosen["extraPodConfig"], namespace="course", enable_user_namespaces=False,
    )  # fmt: skip
    user = SimpleNamespace(name=name, id=1, escaped_name=name, url=f"/user/{name}/")
    hub = SimpleNamespace(
        public_host="", url="http://hub:8081", base_url="/hub/", api_url="http://hub:8081/hub/api"
    )

    async def make():
        spawner = KubeSpawner(
            config=loaded, user=user, hub=hub, _mock=True, api_token="t", oauth_client_id="o",
            orm_spawner=SimpleNamespace(name="", server=None, user=user),
            authenticator=Authenticator(),
        )  # fmt: skip
        spawner.port = 8888
        hook(spawner)
        manifest = await spawner.get_pod_manifest()
        return ApiClient().sanitize_for_serialization(manifest)

    return asyncio.run(make())


def mounts(pod, container="containers"):
    return {
        mount["mountPath"]: (mount["name"], mount.get("subPath"), bool(mount.get("readOnly")))
        for mount in pod["spec"][container][0]["volumeMounts"]
        if mount["mountPath"].startswith(("/srv", "/exchange"))
    }


def variables(pod):
    return {each["name"]: each.get("value") for each in pod["spec"]["containers"][0]["env"]}


def test_a_student_sees_three_folders_and_writes_into_one(config):
    pod = pod_of(config, "ada")
    kubernetes_validate.validate(pod, VERSION, strict=True)
    place = "/srv/nbgrader/exchange/cnn"
    assert mounts(pod) == {
        f"{place}/outbound": ("exchange", "cnn/outbound", True),
        f"{place}/inbound": ("exchange", "cnn/inbound-ada", False),
        f"{place}/feedback": ("exchange", "cnn/feedback-ada", True),
    }
    # The whole volume is seen by the container that makes the folders, and by no other.
    assert mounts(pod, "initContainers") == {"/exchange": ("exchange", None, False)}
    (maker,) = pod["spec"]["initContainers"]
    assert "inbound-ada" in maker["command"][-1]
    assert "ben" not in str(pod)
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["metadata"]["labels"]["course.role"] == "student"


def test_an_instructor_sees_the_whole_exchange(config):
    pod = pod_of(config, "instructor")
    kubernetes_validate.validate(pod, VERSION, strict=True)
    assert mounts(pod) == {"/srv/nbgrader/exchange": ("exchange", None, False)}
    assert pod["metadata"]["labels"]["course.role"] == "instructor"
    assert not pod["spec"].get("initContainers")


@pytest.mark.parametrize("name", ["ada", "instructor"])
def test_pods_get_the_settings_that_other_hubs_give(config, name):
    """The hub's pod cannot import ours; what it writes must be what ours would be."""
    from pathlib import Path

    role = "instructor" if name == "instructor" else "student"
    expected = roles.environment(
        role,
        course="cnn",
        exchange=Path("/srv/nbgrader/exchange"),
        identity=PODS,
        course_root=Path("/home/jovyan/course") if role == "instructor" else None,
    )
    expected = {
        name: value.replace(str(roles.HERE), "/opt/course/hub/single_user")
        for name, value in expected.items()
    }
    assert expected.items() <= variables(pod_of(config, name)).items()


@pytest.mark.parametrize("name", ["ada", "ada-2", "b4", "mary-ann-lee"])
def test_names_that_may_sign_in_are_folders_as_they_are(config, name):
    """One name, one folder: KubeSpawner, the exchange and the collect class agree."""
    assert re.match(config.Authenticator.username_pattern, name)
    assert _NAME.fullmatch(name)
    assert any(path[1] == f"cnn/inbound-{name}" for path in mounts(pod_of(config, name)).values())


@pytest.mark.parametrize(
    "name", ["", "Ada", "a/b", "..", "ada+02", "-a", "a--b", "ada/../ben", "a b"]
)
def test_other_names_may_not(config, name):
    authenticator = Authenticator(config=config)
    assert not (name and authenticator.validate_username(name))


def test_the_hub_s_options_are_options():
    known = {
        "JupyterHub": JupyterHub, "DummyAuthenticator": DummyAuthenticator,
        "Authenticator": Authenticator,
    }  # fmt: skip
    for section, options in VALUES["hub"]["config"].items():
        assert set(options) <= set(known[section].class_trait_names(config=True)), section


def test_policies_speak_of_pods_that_exist(config):
    """A policy for a label that nothing has would protect nothing, and nobody would notice."""
    labels = [each["spec"]["template"]["metadata"]["labels"] for each in ALL
              if each["kind"] == "Deployment"]  # fmt: skip
    labels += [pod_of(config, name)["metadata"]["labels"] for name in ("ada", "instructor")]
    policies = [each for each in ALL if each["kind"] == "NetworkPolicy"]
    for policy in policies:
        wanted = policy["spec"]["podSelector"]["matchLabels"].items()
        assert any(wanted <= have.items() for have in labels), policy["metadata"]["name"]
    closed = {str(each["spec"]["podSelector"]) for each in policies
              if "Ingress" in each["spec"]["policyTypes"]}  # fmt: skip
    for each in ALL:
        if each["kind"] == "Deployment":
            assert str(each["spec"]["selector"]) in closed
    # Where students' code runs, nothing leads out of the cluster.
    for policy in policies:
        for rule in policy["spec"].get("egress", []):
            assert all("ipBlock" not in target for target in rule["to"])
    rules = VALUES["singleuser"]["networkPolicy"]["egressAllowRules"]
    assert not rules["nonPrivateIPs"]
    assert not rules["privateIPs"]


def test_one_image_for_all_and_workers_as_documented():
    image = "{name}:{tag}".format(**VALUES["singleuser"]["image"])
    specs = [each["spec"]["template"]["spec"] for each in ALL if each["kind"] == "Deployment"]
    containers = [one for spec in specs
                  for one in (*spec["containers"], *spec.get("initContainers", ()))]  # fmt: skip
    assert {each["image"] for each in containers} == {image}
    # Dask's own command knows every option that is passed to it.
    for each in containers:
        if each["command"][0] != "dask":
            continue
        shown = subprocess.run(
            [sys.executable, "-m", "dask", each["command"][1], "--help"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        for option in each["args"]:
            assert option.partition("=")[0] in shown, option


def test_the_image_holds_what_is_asked_of_it():
    text = (HERE / "Dockerfile").read_text(encoding="utf-8")
    for name in re.findall(r"^COPY ([^\n]+) \S+$", text, re.MULTILINE):
        for each in name.split():
            assert (ROOT / each).exists(), each
    (line,) = re.findall(r"ARG JUPYTERHUB=(\S+)", text)
    assert line.startswith("5.5.")
    pins = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert re.search(r"^jupyterhub==\S+$", pins, re.MULTILINE)
