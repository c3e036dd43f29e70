"""What a run would do, found out by reading files and nothing else."""

from collections.abc import Iterable
from dataclasses import asdict

from extract.claims import Claims
from extract.options import Plan
from extract.outcome import Fate
from extract.sources import Found, load
from garments.errors import BadSource
from garments.ids import content_id


def foretell(founds: Iterable[Found], claims: Claims) -> Plan:
    """Count what would become of each source; URLs are not fetched, pictures not decoded."""
    counts = asdict(Plan())
    for found in founds:
        counts["found"] += 1
        counts[_kind(found, claims)] += 1
    return Plan(**counts)


def _kind(found: Found, claims: Claims) -> str:
    if found.problem:
        return "unreadable"
    if claims.refuses(found.handle):
        return "taken_down"
    if found.url is not None:
        return "done" if claims.known_photo(found) else "remote"
    try:
        fate = claims.claim(content_id(load(found)), found.origin)
    except BadSource:
        return "unreadable"
    kinds = {None: "new", Fate.DONE: "done", Fate.TAKEN_DOWN: "taken_down"}
    return kinds.get(fate, "duplicates")
