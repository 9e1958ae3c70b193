"""Configuration of the demo hub; ``python -m hub.demo`` writes what it reads and starts it."""

import json
import os
import signal
import sys
from pathlib import Path

from jupyterhub.spawner import Spawner

from autograder.exchange.identity import ONE_USER
from autograder.kernels import linux
from hub.demo import BANNER
from hub.demo.course import Layout
from hub.demo.settings import Settings
from hub.single_user import roles
from hub.single_user.landing import FORMGRADER, LANDING, LIST

PR_SET_PDEATHSIG = 1

settings = Settings.read(Path(os.environ["DEMO_HUB_SETTINGS"]))
layout = Layout(Path(settings.state))
if linux.AVAILABLE:
    linux.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # whatever ends the starter ends the hub

c = get_config()  # noqa: F821

# Loopback, and three ports in a row that stay the same: servers that outlive a hub find the next.
c.JupyterHub.bind_url = f"http://127.0.0.1:{settings.port}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{settings.port + 1}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{settings.port + 2}"
c.ConfigurableHTTPProxy.command = settings.proxy
c.ConfigurableHTTPProxy.pid_file = str(layout.state / "proxy.pid")
c.JupyterHub.db_url = f"sqlite:///{layout.state / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(layout.state / "cookie_secret")
c.JupyterHub.template_vars = {"announcement": BANNER}
c.JupyterHub.log_level = "INFO"

# One password for all, so that at least other users of this machine stay outside.
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = settings.password
c.Authenticator.allowed_users = {settings.instructor, *settings.students}

c.JupyterHub.spawner_class = "simple"
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.SimpleLocalProcessSpawner.home_dir_template = str(layout.homes / "{username}")
c.Spawner.notebook_dir = str(layout.homes / "{username}")
c.LocalProcessSpawner.interrupt_timeout = c.LocalProcessSpawner.term_timeout = 5
c.Spawner.start_timeout = c.Spawner.http_timeout = 180
c.Spawner.env_keep = [
    *("PATH", "LANG", "LC_ALL", "TMPDIR"),
    *(name for name in os.environ if name.startswith("COURSE_")),
]


def _environment(spawner: Spawner) -> dict[str, str]:
    """Variables of somebody's server."""
    instructor = spawner.user.name == settings.instructor
    return {
        LANDING: FORMGRADER if instructor else LIST,
        **settings.libraries,
        # Students' kernels are forked from one process; an instructor's server has its own, in
        # which nothing of a student's has ever run.
        **({} if instructor else settings.lent),
        **roles.environment(
            roles.INSTRUCTOR if instructor else roles.STUDENT,
            course=settings.course,
            exchange=layout.exchange,
            identity=ONE_USER,
            course_root=layout.course(settings.instructor) if instructor else None,
            banner=BANNER,
        ),
    }


def _before_start(spawner: Spawner) -> None:
    spawner.environment = _environment(spawner)
    if spawner.user.name == settings.instructor:
        # The formgrader opens inside JupyterLab, which the hub forbids to all frames otherwise.
        spawner.args = [*spawner.args, f"--ServerApp.tornado_settings={json.dumps(_FRAMES)}"]


_FRAMES = {"headers": {"Content-Security-Policy": "frame-ancestors 'self'"}}
c.Spawner.pre_spawn_hook = _before_start
