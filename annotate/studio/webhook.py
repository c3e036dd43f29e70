"""An ear for Label Studio's webhooks: something happened, look now instead of later.

What a webhook says is never read, as it may be lost, doubled, late or somebody else's: the cursor
is the truth. Label Studio waits for our answer while an annotator waits for its own, so the answer
is given at once.
"""

import contextlib
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from annotate.studio.client import Studio
from annotate.studio.project import Project
from garments.errors import StudioDenied, StudioRefused

_PATH = "/garmentloop-nudge/"
_PATIENCE = 2.0
"""Seconds in which a request has to arrive, or a living ear to answer."""

_LONGEST = 1 << 20
"""Bytes of a request that are read."""


class Ear:
    """Listens on 127.0.0.1 until closed; calls `nudge` for every request that knows its path."""

    def __init__(self, nudge: Callable[[], None]) -> None:
        path = _PATH + secrets.token_urlsafe(16)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(path, nudge))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}{path}"
        self._registered: dict[int, tuple[Studio, int]] = {}
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def hears(self, project_id: int) -> bool:
        """Whether that project's changes are told here already."""
        return project_id in self._registered

    def attach(self, studio: Studio, project: Project) -> None:
        """Have the project's changes told here; those that nobody listens to any more go.

        Raises `StudioDenied` or `StudioRefused` where the server may not call this machine.
        """
        forget_the_dead(studio, project, self.url)
        self._registered[project.id] = (studio, studio.register_webhook(project, self.url))

    def close(self) -> None:
        """No longer listen, and tell the servers so where they can be reached."""
        for studio, webhook in self._registered.values():
            attempts, studio.connection.attempts = studio.connection.attempts, 1
            with contextlib.suppress(Exception):  # a dead one is forgotten by the next watch
                studio.remove_webhook(webhook)
            studio.connection.attempts = attempts
        self._registered.clear()
        self._server.shutdown()
        self._server.server_close()


def forget_the_dead(studio: Studio, project: Project, own: str = "") -> None:
    """Remove webhooks of watches that were killed: each would delay every answer."""
    for row in studio.request("GET", "/api/webhooks/", params={"project": project.id}):
        url = str(row["url"])
        if url != own and urlsplit(url).path.startswith(_PATH) and not _answers(url):
            with contextlib.suppress(StudioDenied, StudioRefused):
                studio.remove_webhook(int(row["id"]))


def _answers(url: str) -> bool:
    """Whether somebody listens there who knows that path."""
    import httpx

    try:
        return httpx.get(url, timeout=_PATIENCE, trust_env=False).status_code == 204
    except httpx.HTTPError:
        return False


def _handler(path: str, nudge: Callable[[], None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE

        def do_GET(self) -> None:
            self.send_response(204 if self.path == path else 404)
            self.end_headers()

        def do_POST(self) -> None:
            if self.path == path:
                nudge()
            self.do_GET()
            with contextlib.suppress(OSError, ValueError):  # else the sender's write may fail
                self.rfile.read(min(int(self.headers["Content-Length"] or 0), _LONGEST))

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
