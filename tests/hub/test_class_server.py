"""The class server, as far as a machine without systemd as its init can show."""

import json
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from jupyterhub.app import JupyterHub
from jupyterhub.auth import PAMAuthenticator
from jupyterhub.proxy import ConfigurableHTTPProxy
from traitlets.config.loader import PyFileConfigLoader

from hub.class_server import backup
from hub.class_server.settings import Settings, SettingsError
from tests.conftest import ROOT

HERE = ROOT / "hub" / "class_server"
EXAMPLE = HERE / "settings.example.toml"
AS_ROOT = os.geteuid() == 0


def changed(tmp_path, **values):
    """The example's settings with some replaced, as a file."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for name, value in values.items():
        wanted = re.compile(rf"^{name} = .*$", re.MULTILINE)
        assert len(wanted.findall(text)) == 1, name
        text = wanted.sub(f"{name} = {json.dumps(value)}".replace("\\", r"\\"), text)
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A function that loads the hub's configuration with some settings."""
    # The proxy is not started here; one on PATH is taken, so that nothing is fetched.
    proxy = tmp_path / "bin" / "configurable-http-proxy"
    proxy.parent.mkdir()
    proxy.write_text("#!/bin/sh\n")
    proxy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{proxy.parent}:{os.environ['PATH']}")

    def load(**values):
        values = {"state": str(tmp_path / "state"), **values}
        monkeypatch.setenv("COURSE_HUB_SETTINGS", str(changed(tmp_path, **values)))
        return PyFileConfigLoader("jupyterhub_config.py", path=str(HERE)).load_config()

    return load


def unknown_options(config):
    """Options that no class of the hub's has."""
    from systemdspawner import SystemdSpawner

    classes = (JupyterHub, PAMAuthenticator, ConfigurableHTTPProxy, SystemdSpawner)
    known = {}
    for each in classes:
        for parent in each.mro():
            known.setdefault(parent.__name__, set()).update(each.class_trait_names(config=True))
    return [
        f"{section}.{name}"
        for section, options in config.items()
        for name in options
        if name not in known.get(section, ())
    ]


def test_every_option_is_one_of_the_hub_s(config):
    loaded = config()
    assert unknown_options(loaded) == []
    loaded.SystemdSpawner.isolate_temp = True  # negative control
    assert unknown_options(loaded) == ["SystemdSpawner.isolate_temp"]


def test_the_hub_takes_the_values(config, tmp_path):
    """Values of a wrong kind are found when the hub's own classes read them."""
    from systemdspawner import SystemdSpawner

    loaded = config()
    hub = JupyterHub(config=loaded)
    assert hub.bind_url.startswith("http://127.0.0.1:8000")
    assert hub.authenticator_class is PAMAuthenticator
    assert hub.spawner_class is SystemdSpawner
    spawner = SystemdSpawner(config=loaded, user=SimpleNamespace(name="ada", id=1))
    assert spawner.mem_limit == 2500 * 1024**2
    assert spawner.disable_user_sudo
    assert str(tmp_path / "state") in spawner.unit_extra_properties["InaccessiblePaths"]
    authenticator = PAMAuthenticator(config=loaded)
    assert authenticator.allowed_groups == {"course-students", "course-instructors"}
    assert not authenticator.allow_all


def test_tls_of_its_own(config):
    loaded = config(tls="hub", certificate="/etc/ssl/hub.pem", key="/etc/ssl/hub.key")
    hub = JupyterHub(config=loaded)
    assert urlsplit(hub.bind_url).scheme == "https"
    assert (hub.ssl_cert, hub.ssl_key) == ("/etc/ssl/hub.pem", "/etc/ssl/hub.key")
    assert hub.hub_bind_url == "http://127.0.0.1:8081"


def test_students_and_instructors_get_their_own_servers(config):
    # Users and groups that every Debian has.
    loaded = config(
        instructors="root", students="daemon", repository="file:///srv/lessons", branch="main"
    )

    def spawned(name):
        spawner = SimpleNamespace(
            user=SimpleNamespace(name=name), environment={}, args=[], default_url=""
        )
        loaded.Spawner.pre_spawn_hook(spawner)
        return spawner

    student, instructor = spawned("daemon"), spawned("root")
    assert student.environment["COURSE_IDENTITY"] == "system users"
    assert "COURSE_ROOT" not in student.environment
    assert "/student" in student.environment["JUPYTER_CONFIG_PATH"]
    assert instructor.environment["COURSE_ROOT"] == "/home/instructor/course"
    assert instructor.default_url == ""
    pull = urlsplit(student.default_url)
    assert pull.path == "/git-pull"
    assert parse_qs(pull.query) == {
        "repo": ["file:///srv/lessons"], "branch": ["main"], "targetPath": ["lessons"],
        "urlpath": ["lab"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("tls", "none", "expected 'proxy' or 'hub'"),
        ("memory", "lots", "expected a size"),
        ("servers", 0, "expected more than 0"),
        ("servers", "thirty", "expected a int"),
        ("course_root", "course", "expected an absolute path"),
        ("instructor", "../root", "expected a name"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, name, value, words):
    with pytest.raises(SettingsError, match=words) as caught:
        Settings.read(changed(tmp_path, **{name: value}))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_unknown_settings_are_named(tmp_path):
    path = changed(tmp_path)
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace("servers =", "severs ="), encoding="utf-8")
    with pytest.raises(SettingsError, match="'severs' is no setting"):
        Settings.read(path)
    path.write_text(re.sub(r"(?m)^servers =.*$", "", whole), encoding="utf-8")
    with pytest.raises(SettingsError, match="'servers' is missing"):
        Settings.read(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        Settings.read(tmp_path / "nothing.toml")


def test_units_are_whole(tmp_path):
    """As systemd reads them, where it is installed; only the program's path is replaced."""
    for path in [*HERE.glob("*.service"), *HERE.glob("*.timer"), *HERE.glob("*.slice")]:
        text = path.read_text(encoding="utf-8")
        (tmp_path / path.name).write_text(
            re.sub(r"/opt/course-hub/venv/bin/\S+", "/bin/true", text), encoding="utf-8"
        )
    units = sorted(str(path) for path in tmp_path.iterdir())
    assert len(units) == 4

    def verified():
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True
        )
        return done.stdout + done.stderr

    if shutil.which("systemd-analyze"):
        assert [line for line in verified().splitlines() if "course-" in line] == []
        service = tmp_path / "course-hub.service"
        service.write_text(service.read_text().replace("Restart=on-failure", "Restart=often"))
        assert "course-hub.service" in verified()  # negative control
    # Whatever a unit starts is something that the installer puts there.
    assert (HERE / "jupyterhub_config.py").is_file()
    assert "hub.class_server.backup make" in (HERE / "course-hub-backup.service").read_text()


def test_the_installer_is_clean_bash():
    script = str(HERE / "install.sh")
    assert subprocess.run(["bash", "-n", script]).returncode == 0
    checker = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if checker:
        done = subprocess.run([checker, script], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def install(*words):
    return subprocess.run(
        ["bash", str(HERE / "install.sh"), *words], capture_output=True, text=True
    )


def test_a_dry_run_changes_nothing_and_says_what_it_would(tmp_path):
    names = tmp_path / "students.txt"
    names.write_text("# the class\nada\nben\n")
    done = install("--dry-run", "--students", str(names), "--caddy")
    assert done.returncode == 0, done.stderr
    for step in (
        *("apt-get install", "useradd --create-home --shell /bin/bash ada"),
        *("install -d -m 1777 /srv/nbgrader/exchange", "systemctl restart course-hub"),
    ):
        assert step in done.stdout, step
    assert not Path("/opt/course-hub").exists()
    assert not Path("/etc/course-hub").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--students", "/nowhere"], "cannot read /nowhere"),
        (["--instructor", "root; rm"], "no name for a user"),
        (["--jump"], "unknown option: --jump"),
    ],
)
def test_the_installer_names_a_mistake(words, said):
    done = install("--dry-run", *words)
    assert done.returncode == 1
    assert said in done.stderr


_APART = """
set -e
mount -t tmpfs none "$1"
for folder in etc home srv opt var/lib; do mkdir -p "$1/$folder"; done
cp -a /etc/. "$1/etc"
for folder in etc home srv opt var/lib; do mount --bind "$1/$folder" "/$folder"; done
printf 'ada\\nben\\n' > /home/students.txt
run() {
  bash "$2/hub/class_server/install.sh" --students "$1" \
    --skip packages --skip environment --skip services
}
state() {
  find /etc/course-hub /home /srv /opt/course-hub -printf '%p %m %u %g %l\\n' | sort
  tail -n 5 /etc/passwd; tail -n 8 /etc/group; cat /etc/gitconfig
}
run /home/students.txt "$2"
sed -i 's/^servers = .*/servers = 12/' /etc/course-hub/settings.toml
state > "$1/first"
run /home/students.txt "$2"
state > "$1/second"
cmp "$1/first" "$1/second"
grep -c '^servers = 12' /etc/course-hub/settings.toml
printf 'chen\\n' > /home/students.txt
run /home/students.txt "$2"
id -nG chen
id -nG ada
stat -c '%a %U %n' /srv/nbgrader/exchange /srv/nbgrader/exchange/cnn /home/ada \
  /home/instructor/course /etc/course-hub/settings.toml /var/lib/course-hub
cd /opt/course-hub
COURSE_HUB_SETTINGS=/etc/course-hub/settings.toml PYTHONPATH=/opt/course-hub "$3" -c '
from pathlib import Path
from hub.class_server.settings import Settings
import hub
print(hub.__file__, Settings.read(Path("/etc/course-hub/settings.toml")).course_root)'
"""


def apart(*words):
    return subprocess.run(
        ["unshare", "--mount", "--propagation", "private", *words], capture_output=True, text=True
    )


def test_the_installer_can_be_run_twice(tmp_path):
    """Users, folders and settings, in a mount namespace where this machine's own stay as they are.

    Packages, the environment and services are left out: they need a network, and systemd.
    """
    if not (AS_ROOT and apart("mount", "-t", "tmpfs", "none", str(tmp_path)).returncode == 0):
        done = install()
        assert done.returncode == 1
        assert "run this as root" in done.stderr or "apt-get" in done.stderr or AS_ROOT
        return
    done = apart("bash", "-c", _APART, "bash", str(tmp_path), str(ROOT), sys.executable)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    lines = done.stdout.splitlines()
    assert "1" in lines  # the changed setting was kept
    assert {"chen course-students", "ada course-students"} <= set(lines)
    assert {
        "1777 root /srv/nbgrader/exchange", "755 instructor /srv/nbgrader/exchange/cnn",
        "700 ada /home/ada", "700 instructor /home/instructor/course",
        "600 root /etc/course-hub/settings.toml", "700 root /var/lib/course-hub",
    } <= set(lines)  # fmt: skip
    assert "/opt/course-hub/hub/__init__.py /home/instructor/course" in lines
    assert not Path("/etc/course-hub").exists()


@pytest.fixture
def server(tmp_path):
    """Settings of a class server with a gradebook, a course and an exchange."""
    course, exchange = tmp_path / "home" / "course", tmp_path / "srv" / "exchange"
    (course / "submitted" / "ada" / "01_toy").mkdir(parents=True)
    (course / "submitted" / "ada" / "01_toy" / "01_toy.ipynb").write_text("ada's answer")
    (course / ".autograder_secret").write_text("secret")
    (course / "__pycache__").mkdir()
    with sqlite3.connect(course / "gradebook.db") as database:
        database.execute("create table grade (student text, points real)")
        database.execute("insert into grade values ('ada', 11)")
    database.close()
    inbound = exchange / "cnn" / "inbound"
    inbound.mkdir(parents=True)
    (inbound / "ada+01_toy+now+xyz").mkdir()
    (inbound / "ada+01_toy+now+xyz" / "01_toy.ipynb").write_text("ada's answer")
    (inbound / "sneaky").symlink_to("/etc/shadow")
    exchange.chmod(0o1777)
    inbound.chmod(0o3733)
    path = changed(
        tmp_path, course_root=str(course), exchange=str(exchange), state=str(tmp_path / "state")
    )
    return path, course, exchange


def run_backup(path, *words):
    return backup.main(["--settings", str(path), *words])


def test_a_backup_comes_back_as_it_was(server, tmp_path, capsys):
    path, course, exchange = server
    if AS_ROOT:
        os.chown(exchange / "cnn" / "inbound" / "ada+01_toy+now+xyz", 65534, 65534)
    # Somebody is writing to the gradebook meanwhile: what is not committed does not count.
    busy = sqlite3.connect(course / "gradebook.db", isolation_level=None)
    busy.execute("pragma journal_mode=wal")
    busy.execute("insert into grade values ('ben', 9)")
    busy.execute("begin immediate")
    busy.execute("insert into grade values ('nobody', 0)")
    assert run_backup(path, "make") == 0
    busy.execute("rollback")
    busy.close()
    (name,) = [each.name for each in (tmp_path / "state" / "backups").iterdir()]
    assert run_backup(path, "list") == 0
    assert f"{name}: whole" in capsys.readouterr().out

    shutil.rmtree(course / "submitted")
    (course / "gradebook.db").write_bytes(b"broken")
    (exchange / "later").write_text("handed in after the backup")
    assert run_backup(path, "restore", name, "--in-place") == 0
    with sqlite3.connect(course / "gradebook.db") as database:
        assert database.execute("select * from grade").fetchall() == [("ada", 11.0), ("ben", 9.0)]
    database.close()
    answer = course / "submitted" / "ada" / "01_toy" / "01_toy.ipynb"
    assert answer.read_text() == "ada's answer"
    assert (course / ".autograder_secret").read_text() == "secret"
    inbound = exchange / "cnn" / "inbound"
    assert stat.S_IMODE(exchange.stat().st_mode) == 0o1777
    assert stat.S_IMODE(inbound.stat().st_mode) == 0o3733
    assert not (inbound / "sneaky").is_symlink()
    if AS_ROOT:
        assert (inbound / "ada+01_toy+now+xyz").stat().st_uid == 65534
    # Nothing is deleted: what was there lies beside it.
    assert [each.read_text() for each in exchange.parent.glob("exchange.before-*/later")] == [
        "handed in after the backup"
    ]


def test_a_damaged_backup_is_not_restored(server, tmp_path, capsys):
    path, course, _ = server
    assert run_backup(path, "make") == 0
    (made,) = (tmp_path / "state" / "backups").iterdir()
    packed = made / "course.tar.gz"
    content = bytearray(packed.read_bytes())
    content[len(content) // 2] ^= 1
    packed.write_bytes(content)
    assert run_backup(path, "list") == 1
    assert run_backup(path, "restore", made.name, "--in-place") == 1
    assert "is damaged or missing" in capsys.readouterr().err
    assert (course / "submitted" / "ada").is_dir()
    (made / "digests.json").unlink()
    assert run_backup(path, "restore", made.name, "--into", str(tmp_path / "look")) == 1
    assert "is no whole backup" in capsys.readouterr().err
    assert not (tmp_path / "look").exists()


def test_old_backups_go_and_broken_settings_are_told(server, tmp_path, monkeypatch, capsys):
    path, _, exchange = server
    stamps = iter(f"2026-11-{day:02}T000000Z" for day in range(1, 9))
    for _ in range(4):
        monkeypatch.setattr(backup, "_STAMP", next(stamps))
        assert run_backup(path, "make", "--keep", "2") == 0
    kept = sorted(each.name for each in (tmp_path / "state" / "backups").iterdir())
    assert kept == ["2026-11-03T000000Z", "2026-11-04T000000Z"]
    assert run_backup(path, "restore", kept[0], "--into", str(exchange)) == 1
    assert "exists: name a new folder" in capsys.readouterr().err
    shutil.rmtree(exchange)
    assert run_backup(path, "make") == 1
    assert "is not there" in capsys.readouterr().err
