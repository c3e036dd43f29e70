"""Which photos are settled, so that each is extracted once."""

import threading
from collections.abc import Mapping
from typing import Protocol

from extract.outcome import Fate
from extract.sources import Found
from garments.idset import IdSet
from garments.withdrawals import Refused


class Settled(Protocol):
    """Knows what is settled already."""

    def claim(self, photo_id: str, origin: str) -> Fate | None:
        """None where the photo of this origin is to be extracted, else what became of it already.

        Asked again about the same photo of the same origin, it says the same.
        """
        ...


class Claims:
    """Which photos are settled: finished in an earlier run, somebody's in this one, or refused."""

    def __init__(
        self,
        done: IdSet,
        fetched: Mapping[str, str] | None = None,
        refused: Refused | None = None,
    ) -> None:
        """`done` are photo ids; `fetched` tells the photo id behind a URL fetched before.

        `refused` knows what was taken down and must not come back.
        """
        self._done, self._fetched = done, fetched or {}
        self._refused = refused or Refused()
        self._mine, self._whose = IdSet(), IdSet()
        self._lock = threading.Lock()

    def known_photo(self, found: Found) -> str | None:
        """The finished photo behind a URL that was fetched before, so that it is not again."""
        if found.url is None:
            return None
        photo_id = self._fetched.get(found.origin)
        return photo_id if photo_id is not None and photo_id in self._done else None

    def refuses(self, handle: str) -> bool:
        """Whether the photos of a handle were taken down, so that none is even read."""
        return self._refused.handle(handle)

    def claim(self, photo_id: str, origin: str) -> Fate | None:
        """See `Settled`; safe to call from several threads."""
        if self._refused.photo(photo_id):
            return Fate.TAKEN_DOWN
        if photo_id in self._done:
            return Fate.DONE
        with self._lock:
            if photo_id in self._mine:
                return None if f"{photo_id} {origin}" in self._whose else Fate.DUPLICATE
            self._mine.add(photo_id)
            self._whose.add(f"{photo_id} {origin}")
            return None

    def elsewhere(self) -> "Done":
        """What another process needs to know: it claims nothing, and learns of no takedown."""
        return Done(self._done)


class Done:
    """What was finished in earlier runs: it says the same in any process and at any time."""

    def __init__(self, photo_ids: IdSet) -> None:
        self._photo_ids = photo_ids

    def claim(self, photo_id: str, origin: str) -> Fate | None:
        """See `Settled`."""
        return Fate.DONE if photo_id in self._photo_ids else None
