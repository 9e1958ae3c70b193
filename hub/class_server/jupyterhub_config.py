"""Configuration of the class server's hub; the unit ``course-hub.service`` starts it as root."""

import grp
import json
import os
import pwd
import sys
from pathlib import Path
from urllib.parse import urlencode

from jupyterhub.spawner import Spawner

# The unit starts the hub beside the folder hub/.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from autograder.exchange.identity import SYSTEM_USERS
from hub.class_server.settings import DEFAULT, HUB, Settings, SettingsError
from hub.demo.node import proxy_command
from hub.single_user import roles
from hub.single_user.landing import FORMGRADER, LANDING, LIST

try:
    settings = Settings.read(Path(os.environ.get("COURSE_HUB_SETTINGS", DEFAULT)))
except SettingsError as error:
    sys.exit(f"class server: {error}")
state = Path(settings.state)
BIN = str(Path(sys.executable).parent)

c = get_config()  # noqa: F821

# The hub itself listens on loopback only. Its own TLS is for the hub's proxy alone.
if settings.tls == HUB:
    c.JupyterHub.bind_url = "https://:443"
    c.JupyterHub.ssl_cert, c.JupyterHub.ssl_key = settings.certificate, settings.key
else:
    c.JupyterHub.bind_url = "http://127.0.0.1:8000"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:8081"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:8001"
c.ConfigurableHTTPProxy.command = proxy_command(state / "proxy")
c.ConfigurableHTTPProxy.pid_file = str(state / "proxy.pid")
c.JupyterHub.db_url = f"sqlite:///{state / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(state / "cookie_secret")
# Servers live in units of their own: a restarted hub finds them again.
c.JupyterHub.cleanup_servers = False
c.JupyterHub.active_server_limit = settings.servers
c.JupyterHub.concurrent_spawn_limit = 6

# Real users of this machine, by two groups of the system.
c.JupyterHub.authenticator_class = "pam"
c.PAMAuthenticator.allowed_groups = {settings.students, settings.instructors}
c.PAMAuthenticator.open_sessions = False
c.Authenticator.delete_invalid_users = False

c.JupyterHub.spawner_class = "systemdspawner.SystemdSpawner"
c.Spawner.cmd = [f"{BIN}/jupyterhub-singleuser"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 180
c.Spawner.mem_limit = settings.memory
c.Spawner.cpu_limit = settings.processors
c.SystemdSpawner.default_shell = "/bin/bash"
c.SystemdSpawner.extra_paths = [BIN]
c.SystemdSpawner.isolate_tmp = True
c.SystemdSpawner.isolate_devices = True
c.SystemdSpawner.disable_user_sudo = True
c.SystemdSpawner.slice = "course-students.slice"
c.SystemdSpawner.unit_extra_properties = {
    "TasksMax": str(settings.processes),
    "MemorySwapMax": "0",
    "OOMPolicy": "continue",  # a kernel that takes too much dies, its server lives
    "LimitCORE": "0",
    # The hub's secrets, and the proxy's token.
    "InaccessiblePaths": f"{state} {Path(DEFAULT).parent}",
}


def is_instructor(name: str) -> bool:
    """Whether a user of this machine is in the instructors' group."""
    group = grp.getgrnam(settings.instructors)
    return name in group.gr_mem or pwd.getpwnam(name).pw_gid == group.gr_gid


def _before_start(spawner: Spawner) -> None:
    """Variables of somebody's server, and where they arrive."""
    instructor = is_instructor(spawner.user.name)
    spawner.environment = {
        LANDING: FORMGRADER if instructor else LIST,
        **roles.environment(
            roles.INSTRUCTOR if instructor else roles.STUDENT,
            course=settings.course,
            exchange=Path(settings.exchange),
            identity=SYSTEM_USERS,
            course_root=Path(settings.course_root) if instructor else None,
        ),
    }
    if instructor:
        # The formgrader opens inside JupyterLab, which the hub forbids to all frames otherwise.
        frames = {"headers": {"Content-Security-Policy": "frame-ancestors 'self'"}}
        spawner.args = [f"--ServerApp.tornado_settings={json.dumps(frames)}"]
    elif settings.repository:
        spawner.default_url = pull_url(settings.repository, settings.branch)


def pull_url(repository: str, branch: str) -> str:
    """Where nbgitpuller merges the lessons into ``~/lessons``, and then opens JupyterLab."""
    asked = {"repo": repository, "branch": branch, "targetPath": "lessons", "urlpath": "lab"}
    return f"/git-pull?{urlencode(asked)}"


c.Spawner.pre_spawn_hook = _before_start

c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle-culler"],
    }
]
c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [
            *(sys.executable, "-m", "jupyterhub_idle_culler"),
            f"--timeout={settings.idle_minutes * 60}",
        ],
    }
]
