import http.server
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from extract.addresses import is_public, resolve
from extract.fetch import USER_AGENT, Limits, Network, check_url, fetch, redacted
from garmentloop import __version__
from garments.errors import BadSource, UnsafeURL

PICTURE = b"\xff\xd8 as good as a picture \xff\xd9" * 50
LOOPBACK = ipaddress.ip_address("127.0.0.1")

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


def to_loopback(host: str, seconds: float) -> list[ipaddress.IPv4Address]:
    """A resolver by which every name is this machine."""
    return [LOOPBACK]


HERE = Network(allow=lambda address: address == LOOPBACK, resolve=to_loopback)


@contextmanager
def serving(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server on a free loopback port, which is yielded, that answers each GET with `answer`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):  # the client may have had enough
                answer(self)

        def log_message(self, *args: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: object) -> None:
            pass  # refused handshakes are expected

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(
    handler: http.server.BaseHTTPRequestHandler,
    body: bytes = PICTURE,
    status: int = 200,
    **headers: str,
) -> None:
    handler.send_response(status)
    headers = {"Content_Type": "image/jpeg", "Content_Length": str(len(body))} | headers
    for name, value in headers.items():
        if value:
            handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def test_a_picture_is_fetched() -> None:
    seen: dict[str, str] = {}

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        seen.update(handler.headers.items(), path=handler.path)
        send(handler)

    with serving(answer) as port:
        url = f"http://photos.example:{port}/a b/\u00fc%20.jpg?x=1&y=ä#top"
        assert fetch(url, network=HERE) == PICTURE
    assert seen["Host"] == f"photos.example:{port}"
    assert seen["path"] == "/a%20b/%C3%BC%20.jpg?x=1&y=%C3%A4"
    assert seen["User-Agent"] == USER_AGENT == f"garmentloop/{__version__}"
    assert seen["Accept-Encoding"] == "identity"
    assert not {"Cookie", "Authorization", "Referer"} & seen.keys()


def test_the_environment_plays_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(send) as port:
        assert fetch(f"http://photos.example:{port}", network=HERE) == PICTURE


@pytest.mark.parametrize(
    "kind", ["image/png", "IMAGE/WEBP; q=1", "application/octet-stream", "binary/octet-stream", ""]
)
def test_content_types_of_pictures(kind: str) -> None:
    with serving(lambda handler: send(handler, Content_Type=kind)) as port:
        assert fetch(f"http://photos.example:{port}/", network=HERE) == PICTURE


def test_a_chunked_body() -> None:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        send(handler, b"", Content_Length="", Transfer_Encoding="chunked")
        for at in range(0, len(PICTURE), 100):
            part = PICTURE[at : at + 100]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        handler.wfile.write(b"0\r\n\r\n")

    with serving(answer) as port:
        assert fetch(f"http://photos.example:{port}/", network=HERE) == PICTURE


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda h: send(h, Content_Type="text/html; charset=utf-8"), "is it a web page"),
        (lambda h: send(h, Content_Encoding="gzip"), "uncompressed"),
        (lambda h: send(h, status=404), "answered 404"),
        (lambda h: send(h, status=500), "answered 500"),
        (lambda h: send(h, status=304), "answered 304"),
        (lambda h: send(h, status=302), "answered 302"),
        (lambda h: send(h, Content_Length=str(len(PICTURE) + 9)), "broke off, 9 bytes short"),
        (lambda h: h.wfile.write(b"SSH-2.0-OpenSSH_9.9\r\n"), "cannot fetch"),
        (lambda h: h.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200), "cannot fetch"),
        (lambda h: None, "cannot fetch"),
    ],
)
def test_answers_that_are_no_picture(answer: Answer, message: str) -> None:
    with serving(answer) as port, pytest.raises(BadSource, match=message):
        fetch(f"http://photos.example:{port}/", network=HERE)


def test_a_body_too_large_by_its_header_is_not_read() -> None:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        send(handler, b"", Content_Length="40000001")
        time.sleep(5)

    start = time.monotonic()
    with serving(answer) as port, pytest.raises(BadSource, match="at most 40,000,000 bytes"):
        fetch(f"http://photos.example:{port}/", network=HERE)
    assert time.monotonic() - start < 3


@pytest.mark.parametrize("chunked", [False, True])
def test_an_endless_body_is_cut_at_the_limit(chunked: bool) -> None:
    sent = 0

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        nonlocal sent
        send(handler, b"", Content_Length="", Transfer_Encoding="chunked" if chunked else "")
        block = bytes(65536)
        while True:
            handler.wfile.write(b"10000\r\n%s\r\n" % block if chunked else block)
            sent += len(block)

    with serving(answer) as port, pytest.raises(BadSource, match="at most 1,000,000 bytes"):
        fetch(f"http://photos.example:{port}/", Limits(max_bytes=1_000_000), network=HERE)
    assert sent < 20_000_000


def drip(handler: http.server.BaseHTTPRequestHandler, data: bytes) -> None:
    for at in range(len(data)):
        handler.wfile.write(data[at : at + 1])
        handler.wfile.flush()
        time.sleep(0.02)


def slow_body(handler: http.server.BaseHTTPRequestHandler) -> None:
    send(handler, b"", Content_Length="1000")
    drip(handler, bytes(1000))


def slow_chunks(handler: http.server.BaseHTTPRequestHandler) -> None:
    send(handler, b"", Content_Length="", Transfer_Encoding="chunked")
    drip(handler, b"1\r\nx\r\n" * 200)


def slow_head(handler: http.server.BaseHTTPRequestHandler) -> None:
    drip(handler, b"HTTP/1.1 200 OK\r\nContent-Type: " + b"x" * 1000)


def no_answer(handler: http.server.BaseHTTPRequestHandler) -> None:
    time.sleep(5)


def endless_continue(handler: http.server.BaseHTTPRequestHandler) -> None:
    while True:
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.01)


@pytest.mark.parametrize("answer", [slow_body, slow_chunks, slow_head, no_answer, endless_continue])
def test_the_time_limit_is_for_the_whole(answer: Answer) -> None:
    with serving(answer) as port:
        start = time.monotonic()
        with pytest.raises(BadSource, match=r"took longer than 0\.4 s"):
            fetch(f"http://photos.example:{port}/", Limits(seconds=0.4), network=HERE)
        assert 0.3 < time.monotonic() - start < 3


def test_a_slow_look_up_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*args: object, **options: object) -> list[object]:
        time.sleep(3)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    start = time.monotonic()
    with pytest.raises(BadSource, match="took too long"):
        resolve("photos.example", 0.1)
    assert time.monotonic() - start < 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(status: int) -> None:
    target = "../b/\u00e4 end?q=1"

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        if handler.path == "/a/start":
            send(handler, b"moved", status, Location=target.encode().decode("latin-1"))
        elif handler.path == "/b/%C3%A4%20end?q=1":
            send(handler)

    with serving(answer) as port:
        assert fetch(f"http://photos.example:{port}/a/start", network=HERE) == PICTURE


def test_redirects_in_a_circle_end() -> None:
    seen: list[str] = []

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        seen.append(handler.path)
        send(handler, b"", 302, Location="/again")

    with serving(answer) as port, pytest.raises(BadSource, match="more than 5 redirects"):
        fetch(f"http://photos.example:{port}/", network=HERE)
    assert len(seen) == 6


@pytest.mark.parametrize(
    "location",
    [
        "http://private.example/",
        "file:///etc/passwd",
        "ftp://photos.example/",
        "http://[::1",
        "//u:p@x/",
    ],
)
def test_each_redirect_is_checked(location: str) -> None:
    def look_up(host: str, seconds: float) -> list[ipaddress.IPv4Address]:
        return [LOOPBACK if host == "photos.example" else ipaddress.IPv4Address("10.0.0.1")]

    network = Network(allow=lambda address: address == LOOPBACK, resolve=look_up)
    answer = partial(send, body=b"", status=302, Location=location)
    with serving(answer) as port, pytest.raises(UnsafeURL):
        fetch(f"http://photos.example:{port}/", network=network)


def test_a_redirect_to_loopback_is_refused() -> None:
    """The first host passes as public, as a stranger's server would; the second is this machine."""
    reached: list[str] = []

    def inner(handler: http.server.BaseHTTPRequestHandler) -> None:
        reached.append(handler.path)
        send(handler)

    first: list[bool] = []

    def allow(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        first.append(True)
        return is_public(address) if len(first) > 1 else True

    with serving(inner) as secret:
        answer = partial(send, body=b"", status=302, Location=f"http://127.0.0.1:{secret}/")
        message = r"127\.0\.0\.1, which is not on the public"
        with serving(answer) as port, pytest.raises(UnsafeURL, match=message):
            fetch(f"http://127.0.0.1:{port}/", network=Network(allow=allow))
    assert reached == []


def test_the_checked_address_is_the_one_that_is_used() -> None:
    """A name that answers differently the second time gets no second time."""
    asked: list[str] = []

    def look_up(host: str, seconds: float) -> list[ipaddress.IPv4Address]:
        asked.append(host)
        return [LOOPBACK]

    with serving(send) as port:
        network = Network(allow=lambda address: True, resolve=look_up)
        assert fetch(f"http://rebinding.example:{port}/", network=network) == PICTURE
    assert asked == ["rebinding.example"]


def test_one_private_address_among_others_refuses_the_host() -> None:
    def look_up(host: str, seconds: float) -> list[ipaddress.IPv4Address]:
        return [LOOPBACK, ipaddress.IPv4Address("192.168.0.1")]

    network = Network(allow=lambda address: address == LOOPBACK, resolve=look_up)
    with serving(send) as port, pytest.raises(UnsafeURL, match=r"192\.168\.0\.1"):
        fetch(f"http://photos.example:{port}/", network=network)


def test_the_next_address_is_tried() -> None:
    other = ipaddress.IPv4Address("127.0.0.2")
    network = Network(allow=lambda address: True, resolve=lambda *_: [other, LOOPBACK])
    with serving(send) as port:
        assert fetch(f"http://photos.example:{port}/", network=network) == PICTURE


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.",
        "localhost", "LOCALHOST", "0", "0.0.0.0", "10.0.0.1", "10.1", "172.16.0.1",
        "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255",
        "192.0.2.1", "198.18.0.1", "240.0.0.1", "[::1]", "[::]", "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]", "[fe80::1]", "[fc00::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]",
        "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[2002:7f00:1::]",
        "[2001::1]", "[::127.0.0.1]", "\uff11\uff12\uff17.0.0.1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_are_refused(host: str) -> None:
    """Through the system's own resolver: it knows decimal and octal notations and localhost."""
    for scheme in ("http", "https"):
        with pytest.raises(BadSource) as caught:
            fetch(f"{scheme}://{host}/photo.jpg", Limits(seconds=5))
        # Some systems do not know some of the notations; none may ever be connected to.
        assert isinstance(caught.value, UnsafeURL) or "no address found" in str(caught.value)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0177.0.0.1", "localhost", "[::ffff:10.0.0.1]"]
)
def test_the_common_ones_are_refused_by_their_address(host: str) -> None:
    with pytest.raises(UnsafeURL, match="not on the public internet; if the picture is yours"):
        fetch(f"http://{host}/photo.jpg")


@pytest.mark.parametrize("text", ["1.1.1.1", "93.184.216.34", "2606:4700::11", "64:ff9b::101:101"])
def test_public_addresses(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text",
    ["192.88.99.1", "3fff::1", "5f00::1", "100::1", "2606:4700::11%eth0", "2002:808:808::"],
)
def test_more_addresses_that_are_not(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.org/a.jpg", "gopher://example.org/", "data:image/gif,",
        "javascript:1", "//example.org/a.jpg", "example.org/a.jpg", "http://", "http:///a.jpg",
        "http://example.org:0/", "http://example.org:99999/", "http://example.org:x/", "http://[::1",
        "http://exa mple.org/", "http://exam\\ple.org/", "http://example.org/\r\nX: y", "http://a\0b/",
        "http://user:secret@example.org/", "http://user@example.org/", "",
    ],
)  # fmt: skip
def test_urls_that_are_refused_unseen(url: str) -> None:
    def never(host: str, seconds: float) -> list[ipaddress.IPv4Address]:
        raise AssertionError("looked up")

    with pytest.raises(UnsafeURL) as caught:
        fetch(url, network=Network(resolve=never))
    assert "secret" not in str(caught.value)


def test_a_host_that_dns_cannot_express() -> None:
    for host in ("a" * 64 + ".example", "a..b", "xn--\u00fc"):
        with pytest.raises(BadSource):
            fetch(f"http://{host}/", Limits(seconds=5), network=Network(allow=lambda _: False))


def test_redacted() -> None:
    assert redacted("https://u:p@x.org/a@b?c=d@e") == "https://x.org/a@b?c=d@e"
    assert redacted("https://x.org/a@b") == "https://x.org/a@b"
    assert check_url("https://x.org/a@b").hostname == "x.org"


# A self-signed certificate for photos.example, valid from 2020 to 2120, and its key, which protects
# nothing but the test below.
KEY = """
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMUlVGzuTWgoNzWgt
u0YMzO79sIpKq6H7wYpC/9TG36ehRANCAATFebZDx8aZZL/2FlzcK0i6OzSJhc3g
IJkalpI79CA47GR8Z7TLW932CZx7UQRpy5UjJ24la+IFJIe1kcV14qob
"""
CERTIFICATE = """
MIIBcTCCARagAwIBAgIBATAKBggqhkjOPQQDAjAZMRcwFQYDVQQDDA5waG90b3Mu
ZXhhbXBsZTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowGTEXMBUG
A1UEAwwOcGhvdG9zLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATF
ebZDx8aZZL/2FlzcK0i6OzSJhc3gIJkalpI79CA47GR8Z7TLW932CZx7UQRpy5Uj
J24la+IFJIe1kcV14qobo00wSzAZBgNVHREEEjAQgg5waG90b3MuZXhhbXBsZTAP
BgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBTvRBoJRFJJEUlv3i1weio3DYerRTAK
BggqhkjOPQQDAgNJADBGAiEA7RL0V8YZU1gwpuw39QSXFClTvksmzn81XVpbDmXG
c14CIQDm/PF2H/Bfc4uXhAmsuymWn5M6Gy9j4/9VwbH+2ZtDRQ==
"""


def write_pem(path: Path) -> Path:
    parts = (("PRIVATE KEY", KEY), ("CERTIFICATE", CERTIFICATE))
    text = "".join(f"-----BEGIN {name}-----{body}-----END {name}-----\n" for name, body in parts)
    path.write_text(text)
    return path


def test_tls_is_checked_against_the_name_in_the_url(tmp_path: Path) -> None:
    pem = write_pem(tmp_path / "photos.pem")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    names: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: names.append(name)
    trusting = ssl.create_default_context(cafile=str(pem))
    network = Network(HERE.allow, HERE.resolve, lambda: trusting)
    with serving(send, server) as port:
        assert fetch(f"https://photos.example:{port}/", network=network) == PICTURE
        assert names == ["photos.example"]
        with pytest.raises(BadSource, match="certificate"):
            fetch(f"https://other.example:{port}/", network=network)
        with pytest.raises(BadSource, match="certificate"):
            fetch(f"https://photos.example:{port}/", network=HERE)


def test_a_silent_tls_server_runs_into_the_time_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(BadSource, match="took longer"):
            fetch(f"https://photos.example:{port}/", Limits(seconds=0.3), network=HERE)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(BadSource, match=r"cannot fetch .*refused"):
        fetch(f"http://photos.example:{port}/", network=HERE)
