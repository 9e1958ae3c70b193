"""Runs in the hub's pod: what each person's pod sees of the exchange.

The chart loads it from ``jupyterhub_config.d``. The course's package is not installed there, so
nothing of it is imported. Read from the environment: ``COURSE_ID``, ``COURSE_INSTRUCTORS`` (names,
with commas between them) and ``COURSE_FRAMES``.
"""

import json
import os
import shlex
from typing import Any

EXCHANGE = "/srv/nbgrader/exchange"
SETTINGS = "/opt/course/hub/single_user"  # in the image
CLAIM = "course-exchange"

course = os.environ["COURSE_ID"]
instructors = {name.strip() for name in os.environ["COURSE_INSTRUCTORS"].split(",")} - {""}

c = get_config()  # noqa: F821

# A name is a folder of the exchange, and a part of names in Kubernetes. It is also what a
# submission is believed by: one name, one folder.
c.Authenticator.username_pattern = r"^[a-z0-9]+(-[a-z0-9]+){0,5}$"


def before_start(spawner: Any) -> None:
    """Give a pod its folders of the exchange, its role's settings, and a label."""
    name = spawner.user.name
    role = "instructor" if name in instructors else "student"
    spawner.environment = {
        **spawner.environment,
        "HUB_LANDING": "nbgrader-formgrader"
        if role == "instructor"
        else "nbgrader-assignment-list",
        "JUPYTER_CONFIG_PATH": f"{SETTINGS}/{role}:{SETTINGS}/everybody",
        "COURSE_ID": course,
        "COURSE_EXCHANGE": EXCHANGE,
        "COURSE_IDENTITY": "pods",
        "JUPYTER_DEFAULT_PROVISIONER_NAME": "autograder-warm",
    }
    spawner.extra_labels = {**spawner.extra_labels, "course.role": role}
    spawner.volumes = [
        *spawner.volumes,
        {"name": "exchange", "persistentVolumeClaim": {"claimName": CLAIM}},
    ]
    if role == "instructor":
        spawner.environment["COURSE_ROOT"] = "/home/jovyan/course"
        mounts = [{"name": "exchange", "mountPath": EXCHANGE}]
        # The formgrader opens inside JupyterLab, which the hub forbids to all frames otherwise.
        frames = {"headers": {"Content-Security-Policy": "frame-ancestors 'self'"}}
        spawner.args = [*spawner.args, f"--ServerApp.tornado_settings={json.dumps(frames)}"]
        spawner.volumes.append(
            {"name": "dask-tls", "secret": {"secretName": "dask-tls", "optional": True}}
        )
        mounts.append({"name": "dask-tls", "mountPath": "/etc/dask-tls", "readOnly": True})
    else:
        folders = {"outbound": "outbound", "inbound": f"inbound-{name}",
                   "feedback": f"feedback-{name}"}  # fmt: skip
        mounts = [
            {
                "name": "exchange",
                "mountPath": f"{EXCHANGE}/{course}/{seen}",
                "subPath": f"{course}/{folder}",
                "readOnly": seen != "inbound",
            }
            for seen, folder in folders.items()
        ]
        # A folder that Kubernetes makes for a subPath belongs to root. This makes it first, as the
        # same user; the student's own container never sees the whole volume.
        paths = " ".join(shlex.quote(f"/exchange/{course}/{each}") for each in folders.values())
        spawner.init_containers = [
            *spawner.init_containers,
            {
                "name": "exchange-folders",
                "image": spawner.image,
                "command": ["sh", "-c", f"umask 007; mkdir -p {paths}"],
                "volumeMounts": [{"name": "exchange", "mountPath": "/exchange"}],
                "securityContext": {"runAsUser": 1000, "allowPrivilegeEscalation": False},
                "resources": {"limits": {"memory": "64Mi", "cpu": "100m"}},
            },
        ]
    spawner.volume_mounts = [*spawner.volume_mounts, *mounts]


c.KubeSpawner.pre_spawn_hook = before_start
