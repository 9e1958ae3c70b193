"""The playground as pages of their own: ``python -m playground``.

Voilà runs each notebook and shows its words and its widget, without the code. Everything stays on
this machine: the server listens on 127.0.0.1 only, and wants a token that it makes up.
"""

import argparse
import re
import secrets
import socket
import sys
import tempfile
import webbrowser
from pathlib import Path

HERE = Path(__file__).parent
COMMAND = "python -m playground"
ADDRESS = "127.0.0.1"
# Extensions of JupyterLab that look for parts which Voilà does not have.
NOT_FOR_PAGES = ["jupyterlab-jupytext", "@jupyter-notebook/lab-extension"]
# Links from a notebook into the course lead nowhere from a page.
_LINK = re.compile(r"\[([^][\n]+)\]\((?:\.\./|[a-z_]+\.ipynb)[^)]*\)")


def notebooks() -> list[Path]:
    """Return the playground's notebooks."""
    return sorted(HERE.glob("*.ipynb"))


def free_port(wanted: int) -> int:
    """Return a port on which nobody listens.

    Parameters
    ----------
    wanted : int
        This one, or 0 for any.

    Raises
    ------
    OSError
        If it is taken.
    """
    with socket.socket() as handle:
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        handle.bind((ADDRESS, wanted))
        return handle.getsockname()[1]


def serve(folder: Path, port: int, *, open_browser: bool, theme: str, page: str) -> None:
    """Run Voilà over a folder until it is stopped with Ctrl+C."""
    from traitlets.config import Config
    from voila.app import Voila

    token = secrets.token_hex(16)
    address = f"http://{ADDRESS}:{port}/{page}?token={token}"

    class Pages(Voila):
        """Voilà, with our template, which says in our words where it is once it listens."""

        def setup_template_dirs(self) -> None:
            super().setup_template_dirs()
            self.template_paths.insert(0, str(HERE / "voila_template"))

        def launch_browser(self) -> None:
            print(f"The playground: {address}\nStop it with Ctrl+C.", flush=True)
            if open_browser:
                webbrowser.open(address)

    settings = Config(
        {
            "Voila": {
                "ip": ADDRESS,
                "port": port,
                "port_retries": 0,
                "token": token,
                "open_browser": True,
                "log_level": "WARN",
            },
            "VoilaConfiguration": {"theme": theme, "extension_denylist": NOT_FOR_PAGES},
        }
    )
    Pages.launch_instance(argv=[str(folder)], config=settings)


def main(arguments: list[str] | None = None) -> int:
    """Serve the notebooks."""
    names = [path.stem for path in notebooks()]
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Show the playground's notebooks as pages, without their code.",
        epilog=f"Example: {COMMAND} draw_a_digit   opens this page; without a name, a list of all.",
    )
    parser.add_argument("page", nargs="?", metavar="NAME", help=", ".join(names))
    parser.add_argument("--port", type=int, default=0, metavar="N", help="default: a free one")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--dark", action="store_true", help="a dark theme")
    options = parser.parse_args(arguments)
    if options.page is not None and options.page not in names:
        print(
            f"{COMMAND}: there is no page {options.page!r}; expected one of {', '.join(names)}",
            file=sys.stderr,
        )
        return 1
    try:
        port = free_port(options.port)
    except (OSError, OverflowError) as error:
        print(
            f"{COMMAND}: port {options.port} cannot be used ({error}); choose another one, or "
            "leave --port out for a free one",
            file=sys.stderr,
        )
        return 1
    with tempfile.TemporaryDirectory(prefix="playground-") as folder:
        # Voilà lists what is in its folder: the notebooks, and nothing else of the package.
        for path in notebooks():
            text = _LINK.sub(r"\1", path.read_text(encoding="utf-8"))
            (Path(folder) / path.name).write_text(text, encoding="utf-8")
        serve(
            Path(folder),
            port,
            open_browser=not options.no_browser,
            theme="dark" if options.dark else "light",
            page=f"voila/render/{options.page}.ipynb" if options.page else "",
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
