"""An HTTP connection that goes to given addresses only and keeps one deadline for everything."""

import io
import socket
import time
from collections.abc import Sequence
from functools import cache
from http.client import HTTPConnection
from ssl import SSLContext, create_default_context
from typing import Any

from extract.addresses import Address


class Connection(HTTPConnection):
    """http.client's connection, pinned: `host` is only a name in the request and the TLS handshake.

    The first of `addresses` that answers is used. Every operation raises `TimeoutError` once
    `deadline` (of `time.monotonic`) has passed, however slowly bytes keep dripping in. A `context`
    makes it TLS, with the certificate checked against `host`.
    """

    def __init__(
        self,
        host: str,
        port: int,
        addresses: Sequence[Address],
        deadline: float,
        context: SSLContext | None = None,
    ) -> None:
        super().__init__(host, port)
        # http.client names the port in the Host header unless it is the default one.
        self.default_port = 443 if context else 80
        self._addresses = addresses
        self._deadline = deadline
        self._context = context

    def connect(self) -> None:
        """Connects to the first address that answers; the time left is shared among them."""
        trouble: OSError = OSError("no address")
        for left in range(len(self._addresses), 0, -1):
            address = self._addresses[-left]
            try:
                plain = _open_socket(address, self.port, time_left(self._deadline) / left)
                break
            except OSError as error:
                trouble = error
        else:
            raise trouble
        if self._context is not None:
            plain.settimeout(time_left(self._deadline))
            try:
                plain = self._context.wrap_socket(plain, server_hostname=self.host)
            except BaseException:
                plain.close()
                raise
        self.sock = DeadlineSocket(plain, self._deadline)


class DeadlineSocket:
    """What http.client needs of a socket, with the time left as the timeout of each operation."""

    def __init__(self, plain: socket.socket, deadline: float) -> None:
        self._plain = plain
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        """Sends all of `data`."""
        self._plain.settimeout(time_left(self._deadline))
        self._plain.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        """A buffered reader that outlives `close` of the socket, as socket.makefile gives."""
        return io.BufferedReader(_DeadlineReader(self._plain, self._deadline))

    def close(self) -> None:
        """Closes the socket once its readers are closed."""
        self._plain.close()


class _DeadlineReader(io.RawIOBase):
    def __init__(self, plain: socket.socket, deadline: float) -> None:
        self._plain = plain
        self._raw = plain.makefile("rb", buffering=0)
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._plain.settimeout(time_left(self._deadline))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


def time_left(deadline: float) -> float:
    """Seconds until `deadline`; `TimeoutError` when there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


@cache
def default_context() -> SSLContext:
    """Certificates and host names are checked, with the system's authorities and certifi's."""
    context = create_default_context()
    try:
        import certifi
    except ImportError:
        return context
    context.load_verify_locations(certifi.where())
    return context


def _open_socket(address: Address, port: int, seconds: float) -> socket.socket:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    plain = socket.socket(family, socket.SOCK_STREAM)
    try:
        plain.settimeout(seconds)
        plain.connect((str(address), port))
    except BaseException:
        plain.close()
        raise
    return plain
