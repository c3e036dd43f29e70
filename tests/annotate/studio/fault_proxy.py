"""A real HTTP proxy before Label Studio that fails when it is told to."""

import contextlib
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

FAULTS = ("500", "502", "cut", "cut after", "slow")
"""What can go wrong; `cut` loses the request, `cut after` the answer."""


class FaultyProxy:
    """Passes requests on to `target`; `fault(path)` says what happens to each, None for nothing."""

    def __init__(self, target: str, fault: Callable[[str], str | None]) -> None:
        self.fault, self.faults = fault, 0
        client = httpx.Client(timeout=60, trust_env=False)
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                fault = proxy.fault(self.path)
                proxy.faults += fault is not None
                if fault == "slow":
                    time.sleep(0.5)
                if fault == "cut":
                    return
                if fault and fault.isdigit():
                    self._answer(int(fault), b'{"detail": "a fault"}')
                    return
                kept = ("Authorization", "Content-Type", "Accept")
                headers = {name: self.headers[name] for name in kept if self.headers[name]}
                answer = client.request(
                    self.command, target + self.path, content=body, headers=headers
                )
                if fault != "cut after":
                    self._answer(answer.status_code, answer.content, answer.headers["date"])

            do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815

            def _answer(self, status, body, date=""):
                self.send_response_only(status)
                self.send_header("Content-Length", str(len(body)))
                if date:
                    self.send_header("Date", date)
                with contextlib.suppress(OSError):  # the client has lost patience
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *args):
                pass

        self._client = client
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()
        self._client.close()
