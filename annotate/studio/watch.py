"""Pull for as long as people work: when a webhook nudges, and every few seconds anyway."""

import threading
from collections.abc import Callable, Iterator

from annotate.studio.client import Studio
from annotate.studio.project import Kind, find_record
from annotate.studio.pull import Puller, PullProgress
from annotate.studio.webhook import Ear
from garments.dataset import SETTINGS_FILE, Dataset
from garments.errors import StudioBusy, StudioDenied, StudioDown, StudioRefused

EVERY = 5.0
"""Seconds between two looks without a nudge."""

_SETTLE = 0.2
"""Seconds after a nudge: Label Studio may nudge just before its change can be seen."""

_LONGEST_WAIT = 30.0
"""Seconds between two attempts to reach a server that is down, at most."""

Tell = Callable[[str], None]


class Watch:
    """Pulls until `stop` is called, from this thread or another."""

    def __init__(
        self,
        dataset: Dataset,
        connect: Callable[[], Studio],
        *,
        every: float = EVERY,
        tell: Tell = lambda text: None,
    ) -> None:
        """`connect` finds the server, again and again as it may move; `tell` gets troubles."""
        self.dataset, self._connect, self.every, self._tell = dataset, connect, every, tell
        self._wake, self._stopped = threading.Event(), False
        self._ear: Ear | None = None
        self._told, self._deaf = "", False

    def stop(self) -> None:
        """End after what is being pulled now."""
        self._stopped = True
        self._wake.set()

    def nudge(self) -> None:
        """Look now."""
        self._wake.set()

    def run(self) -> Iterator[PullProgress]:
        """What each pull brought, those that brought nothing too; it ends with the data set.

        Outlasts a server that is down, and other pulls. Raises `StudioError` where the server
        refuses the token even after another look for it, or a project is not ours.
        """
        try:
            yield from self._connections()
        finally:
            if self._ear:
                self._ear.close()

    def _connections(self) -> Iterator[PullProgress]:
        """One turn for each time that the server had to be found again."""
        failures, first = 0, True
        while not self._stopped and (self.dataset.folder / SETTINGS_FILE).exists():
            pulled = False
            try:
                studio = self._connect()
                for progress in self._pulls(studio):
                    failures, first, pulled = 0, False, True
                    yield progress
            except StudioDown as error:
                if first:
                    raise
                self._say(f"{error} (trying again)")
            except StudioDenied:
                if not pulled:
                    raise
            failures += 1
            self._rest(min(_LONGEST_WAIT, self.every * failures))

    def _pulls(self, studio: Studio) -> Iterator[PullProgress]:
        puller = Puller(self.dataset, studio)
        try:
            while not self._stopped and (self.dataset.folder / SETTINGS_FILE).exists():
                if not self._pushed():
                    self._say("Nothing was pushed yet; waiting for it.")
                    self._rest(self.every)
                    continue
                self._listen(studio)
                try:
                    *_, last = puller.run()
                    self._say("")
                    yield last
                except StudioBusy as error:
                    self._say(f"{error} (trying again)")
                self._rest(self.every)
        finally:
            puller.close()

    def _pushed(self) -> bool:
        """Whether there is a project to pull from."""
        records = [find_record(self.dataset, kind) for kind in Kind]
        return any(record and record.project_id for record in records)

    def _listen(self, studio: Studio) -> None:
        """Ask for nudges where the server runs on this machine; without them it works too."""
        if not studio.local or self._deaf:
            return
        self._ear = self._ear or Ear(self.nudge)
        try:
            for kind in Kind:
                record = find_record(self.dataset, kind)
                if record and record.project_id and not self._ear.hears(record.project_id):
                    self._ear.attach(studio, studio.project(kind))
        except (StudioDenied, StudioRefused) as error:
            self._deaf = True
            self._tell(f"{error}; looking every {self.every:g} s instead")

    def _rest(self, seconds: float) -> None:
        """Wait for a nudge, though not for long."""
        nudged = self._wake.wait(seconds)
        if nudged and not self._stopped:
            threading.Event().wait(_SETTLE)
        if not self._stopped:
            self._wake.clear()

    def _say(self, trouble: str) -> None:
        """Tell a trouble once, and that it is over."""
        if trouble and trouble != self._told:
            self._tell(trouble)
        elif not trouble and self._told:
            self._tell("pulling again")
        self._told = trouble
