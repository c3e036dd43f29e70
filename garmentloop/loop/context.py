"""What the steps of a round work with."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from garmentloop.loop.options import LoopOptions

if TYPE_CHECKING:
    from annotate.studio.client import Studio
    from garmentloop.loop.edit_rate import Alike
    from garments.dataset import Dataset
    from garments.rounds import Details

T = TypeVar("T")


class Follow(Protocol):
    """Shows the events of a long step as they come, and returns the last one."""

    def __call__(self, events: Iterable[T], kind: str) -> T | None:
        """`kind` is what is done: tagging, pushing, pulling, waiting, syncing, releasing,
        training, and in a rehearsal extracting, looking and answering.
        """
        ...


def in_silence(events: Iterable[T], kind: str) -> T | None:
    """Follows without a word."""
    last = None
    for event in events:
        last = event
    return last


@dataclass
class Context:
    """One round: `done` is what its finished steps recorded.

    `studio` finds Label Studio; `follow` shows progress and `say` tells a note. `patient` waits
    for people, `enough` goes on with what they answered so far. `alike` may judge answers for the
    edit rate (`garmentloop.loop.edit_rate`).
    """

    dataset: "Dataset"
    round: str
    options: LoopOptions
    studio: "Callable[[], Studio]"
    done: "dict[str, Details]" = field(default_factory=dict)
    follow: Follow = in_silence
    say: Callable[[str], None] = lambda text: None
    patient: bool = False
    enough: bool = False
    alike: "Alike | None" = None
    _server: "Studio | None" = field(default=None, repr=False)

    def server(self) -> "Studio":
        """Label Studio, found once."""
        self._server = self._server or self.studio()
        return self._server

    def close(self) -> None:
        """Let the connection go."""
        if self._server:
            self._server.connection.close()
        self._server = None

    @property
    def release(self) -> str:
        """Name of the round's release."""
        return self.options.release or self.round

    @property
    def model(self) -> str:
        """Reference of the tagger that the round trains."""
        return f"model:{self.round}"

    def of(self, step: str, key: str, default: Any = None) -> Any:
        """What a finished step recorded under `key`."""
        found: Mapping[str, Any] = self.done.get(step, {})
        return found.get(key, default)


Step = Callable[[Context], "Details | None"]
"""Does one step and returns its record; None where it has to wait for people."""
