"""Which network addresses may be fetched from: those of the public internet only."""

import ipaddress
import socket
import threading
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

from garments.errors import BadSource

Address = IPv4Address | IPv6Address

GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
NOT_PUBLIC = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.88.99.0/24",  # relays of 6to4, withdrawn
        "2001::/32",  # Teredo: wraps an IPv4 address
        "2002::/16",  # 6to4: wraps an IPv4 address
        "3fff::/20",  # documentation
    )
)


def is_public(address: Address) -> bool:
    """Whether `address` is routed globally: not private, loopback, link-local, multicast, reserved.

    An IPv4 address inside an IPv6 one (mapped, or NAT64 as networks without IPv4 use it) is judged
    by the IPv4 address; other wrappings are refused.
    """
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped
        if inner is None and address in NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address not in GLOBAL_UNICAST or address.scope_id is not None:
            return False
    if address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    return address.is_global and not any(address in network for network in NOT_PUBLIC)


def resolve(host: str, seconds: float) -> Sequence[Address]:
    """The addresses of `host` from the system's resolver, waiting at most `seconds`.

    All notations that the system knows end here as addresses (`2130706433` is 127.0.0.1). Raises
    `BadSource` when there is none.
    """
    answer: list[Address] = []
    trouble: list[Exception] = []

    def ask() -> None:
        try:
            for *_, target in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM):
                answer.append(ipaddress.ip_address(target[0]))
        except (OSError, ValueError) as error:  # ValueError: a name that DNS cannot express
            trouble.append(error)

    # The resolver knows no time limit: it is left behind in a daemon thread when it takes too long.
    thread = threading.Thread(target=ask, name=f"resolve {host}", daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if thread.is_alive():
        raise BadSource(f"looking up {host} took too long; check the network")
    if trouble or not answer:
        reason = f" ({trouble[0]})" if trouble else ""
        raise BadSource(f"no address found for {host}{reason}; check the name and the network")
    return list(dict.fromkeys(answer))
