"""Fetching a picture from a URL that a stranger wrote.

The host is looked up once, every address is checked, and the connection goes to the checked address
(no second look-up that could answer differently), with the host's name in the request, the SNI and
the certificate check. Redirects are walked by hand and checked likewise. Proxies, cookies and the
environment play no part. Size and total time are limited while the answer streams in.
"""

import http.client
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from ssl import SSLContext
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

from extract.addresses import Address, is_public, resolve
from extract.connection import Connection, default_context
from garments.errors import BadSource, UnsafeURL

USER_AGENT = "garmentloop/0.1.0"
PORTS = {"http": 80, "https": 443}
REDIRECTS = frozenset((301, 302, 303, 307, 308))
CONTENT_TYPES = re.compile(r"image/|(application|binary)/octet-stream\b", re.IGNORECASE)
UNQUOTED = "!#$%&'()*+,/:;=?@[]~"
CHUNK = 65536


@dataclass(frozen=True)
class Limits:
    """How much one fetch may take: bytes of the body, seconds in all, redirects followed."""

    max_bytes: int = 40_000_000
    seconds: float = 30.0
    redirects: int = 5


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Network:
    """How a fetch reaches the world; tests put their own loopback server in its place."""

    allow: Callable[[Address], bool] = is_public
    resolve: Callable[[str, float], Sequence[Address]] = resolve
    context: Callable[[], SSLContext] = default_context


def fetch(url: str, limits: Limits = DEFAULT_LIMITS, *, network: Network | None = None) -> bytes:
    """The body behind the http(s) `url`.

    Raises `UnsafeURL` for an address that must not be fetched, `BadSource` for an answer that is no
    picture, too large or too slow, or for no answer.
    """
    network = network or Network()
    deadline = time.monotonic() + limits.seconds
    for _ in range(limits.redirects + 1):
        parts = check_url(url)
        try:
            body, location = _get(parts, deadline, limits, network)
        except TimeoutError:
            raise BadSource(
                f"{redacted(url)} took longer than {limits.seconds:g} s; try again later, or "
                "download it yourself and give the file"
            ) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise BadSource(f"cannot fetch {redacted(url)}: {_reason(error)}") from error
        if location is None:
            return body
        url = _joined(url, location)
    raise BadSource(f"more than {limits.redirects} redirects, the last one to {redacted(url)}")


def check_url(url: str) -> SplitResult:
    """The parts of `url`; `UnsafeURL` unless it is http(s) with a host and without credentials."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UnsafeURL(f"expected an http(s) URL, but got {redacted(url)!r} ({error})") from None
    if parts.scheme not in PORTS:
        raise UnsafeURL(
            f"expected an http:// or https:// URL, but got {redacted(url)!r}; a file is given by "
            "its path"
        )
    if re.search(r"[\x00-\x20\x7f\\]", parts.netloc) or re.search(r"[\x00-\x1f\x7f]", url):
        raise UnsafeURL(f"expected a URL without control characters, but got {redacted(url)!r}")
    if not parts.hostname or port == 0:
        raise UnsafeURL(f"expected a URL with a host and port, but got {redacted(url)!r}")
    if "@" in parts.netloc:
        raise UnsafeURL(
            f"{redacted(url)} carries a user name or password, which would end up in the "
            "catalogue; download it yourself and give the file"
        )
    return parts


def redacted(url: str) -> str:
    """`url` without user name and password, for messages and records."""
    return re.sub(r"(//)[^/?#]*@", r"\1", url, count=1)


def _get(
    parts: SplitResult, deadline: float, limits: Limits, network: Network
) -> tuple[bytes, str | None]:
    """One request: the body, or where it redirects to."""
    connection = _connect(parts, deadline, network)
    try:
        path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        headers = {
            "User-Agent": USER_AGENT,
            "Accept": "image/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        connection.request("GET", quote(path, safe=UNQUOTED), headers=headers)
        with connection.getresponse() as response:
            location = response.headers.get("Location")
            if response.status in REDIRECTS and location:
                return b"", location.strip()
            _check_response(response, parts.geturl(), limits)
            return _read_body(response, parts.geturl(), limits), None
    finally:
        connection.close()


def _connect(parts: SplitResult, deadline: float, network: Network) -> Connection:
    """A connection to a checked address of the host of `parts`."""
    host = parts.hostname or ""
    addresses = network.resolve(host, deadline - time.monotonic())
    for address in addresses:
        if not network.allow(address):
            raise UnsafeURL(
                f"{parts.geturl()} leads to {address}, which is not on the public internet; if "
                "the picture is yours, give it as a file"
            )
    context = network.context() if parts.scheme == "https" else None
    port = parts.port or PORTS[parts.scheme]
    connection = Connection(host, port, addresses, deadline, context)
    connection.connect()
    return connection


def _check_response(response: http.client.HTTPResponse, url: str, limits: Limits) -> None:
    """`BadSource` unless the head of the answer promises one picture of a bearable size."""
    if response.status != HTTPStatus.OK:
        raise BadSource(f"{url} answered {response.status} {response.reason}")
    kind = response.headers.get("Content-Type", "application/octet-stream").strip()
    if not CONTENT_TYPES.match(kind):
        raise BadSource(f"expected a picture at {url}, but it is {kind!r}; is it a web page?")
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise BadSource(f"expected {url} uncompressed as asked for, but it came as {encoding!r}")
    if response.length is not None and response.length > limits.max_bytes:
        raise _too_large(url, limits)


def _read_body(response: http.client.HTTPResponse, url: str, limits: Limits) -> bytes:
    body = bytearray()
    while chunk := response.read(CHUNK):
        body += chunk
        if len(body) > limits.max_bytes:
            raise _too_large(url, limits)
    if response.length:
        raise BadSource(f"{url} broke off, {response.length:,} bytes short; try again")
    return bytes(body)


def _joined(url: str, location: str) -> str:
    """Where a redirect from `url` to `location`, relative or not, leads."""
    try:
        return urljoin(url, location.encode("latin-1", "replace").decode("utf-8", "replace"))
    except ValueError as error:
        raise UnsafeURL(f"{url} redirects to {redacted(location)!r} ({error})") from None


def _too_large(url: str, limits: Limits) -> BadSource:
    return BadSource(
        f"expected at most {limits.max_bytes:,} bytes, but {url} has more; download it yourself "
        "and give the file"
    )


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
