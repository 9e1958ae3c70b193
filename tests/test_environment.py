"""The files that describe the environment say the same."""

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement

from tests.conftest import ROOT
from tests.environment_files import environment_text, locked


def requirement_names(lines):
    return {Requirement(line).name.lower().replace("_", "-") for line in lines}


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_environment_yml_holds_the_pins_of_the_lock():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert text == environment_text(), "run `make lock`"
    content = yaml.safe_load(text)
    assert content["channels"] == ["conda-forge"]
    conda = [item for item in content["dependencies"] if isinstance(item, str)]
    assert [item.split("=")[0] for item in conda] == ["python", "pip"]
    (pip,) = (item["pip"] for item in content["dependencies"] if isinstance(item, dict))
    assert pip[:-1] == locked()
    assert pip[-1] == "."


def test_every_dependency_is_locked_within_its_range(project):
    direct = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    pins = [Requirement(line) for line in locked()]
    for line in direct:
        wanted = Requirement(line)
        fitting = [pin for pin in pins if pin.name.lower() == wanted.name.lower()]
        assert fitting, f"{wanted.name} is not in requirements.lock; run `make lock`"
        for pin in fitting:
            (version,) = (spec.version for spec in pin.specifier)
            assert wanted.specifier.contains(version), f"{pin} does not fit {wanted}"


def test_lock_holds_exact_versions_and_no_addresses():
    for line in locked():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][^ ;]*( ; .+)?", line), line
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert "--" not in text


@pytest.mark.parametrize(
    ("platform", "machine", "package"),
    [
        ("linux", "x86_64", "tensorflow-cpu"),
        ("linux", "aarch64", "tensorflow"),
        ("darwin", "arm64", "tensorflow"),
        ("win32", "AMD64", "tensorflow-cpu"),
    ],
)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_each_platform_gets_one_tensorflow(project, platform, machine, package, python):
    marker = {
        "sys_platform": platform, "platform_machine": machine, "python_version": python,
        "python_full_version": f"{python}.1", "extra": "",
    }  # fmt: skip
    for lines in (locked(), project["dependencies"]):
        chosen = [
            requirement.name
            for requirement in map(Requirement, lines)
            if requirement.name in ("tensorflow", "tensorflow-cpu")
            and requirement.marker.evaluate(marker)
        ]
        assert chosen == [package]


def test_python_versions_agree(project):
    assert project["requires-python"] == ">=3.11"
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    tested = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    named = [item.rsplit(" ", 1)[1] for item in project["classifiers"] if "Python :: 3." in item]
    assert tested == named
    assert workflow["jobs"]["test"]["steps"][-1]["run"] == "bash .ci/run"


def test_the_wheel_holds_the_packages_only(project):
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]
    assert settings["build"]["targets"]["wheel"]["packages"] == [
        "autograder",
        "data_scripts",
        "playground",
    ]
