"""A Jupyter server extension: the look of lessons, and a banner above every page.

JupyterLab, the formgrader, feedback and nbconvert's pages are made by different programs. Only the
server that sends them sees them all, so both are added there.
"""

import html
import os
import re
from pathlib import Path
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform

BANNER = "HUB_BANNER"  # environment variable: the sentence
_HEAD_END, _BODY = (
    re.compile(rb"</head>", re.IGNORECASE),
    re.compile(rb"<body[^>]*>", re.IGNORECASE),
)


def decorate(page: bytes, style: str, banner: str = "") -> bytes:
    """Put a style sheet and a banner into a page of HTML.

    Parameters
    ----------
    page : bytes
        The page, whole. What has no ``</head>`` or no ``<body>`` does not get what belongs there.
    style : str
        Rules of CSS.
    banner : str
        One sentence, as plain text; none if empty.
    """
    sheet = b"<style>" + style.encode() + b"</style>"
    page = _HEAD_END.sub(lambda found: sheet + found[0], page, count=1)
    if not banner:
        return page
    words = f'<div id="hub-banner" role="note">{html.escape(banner)}</div>'.encode()
    return _BODY.sub(lambda found: found[0] + words, page, count=1)


class Decorate(OutputTransform):
    """Takes hold of pages that are sent in one piece, as all of Jupyter's are."""

    style = ""
    banner = ""

    def __init__(self, request: HTTPServerRequest) -> None:
        self.request = request

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Change a page, and say how long it is now."""
        if finishing and headers.get("Content-Type", "").startswith("text/html") and chunk:
            # The formgrader inside JupyterLab: the banner stands above it already.
            framed = self.request.headers.get("Sec-Fetch-Dest") == "iframe"
            chunk = decorate(chunk, self.style, "" if framed else self.banner)
            if "Content-Length" in headers:
                headers["Content-Length"] = str(len(chunk))
        return status_code, headers, chunk


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "hub.single_user.pages"}]


def _load_jupyter_server_extension(server: Any) -> None:
    Decorate.style = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    Decorate.banner = os.environ.get(BANNER, "")
    server.web_app.add_transform(Decorate)
