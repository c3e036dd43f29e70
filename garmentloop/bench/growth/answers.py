"""A Label Studio that is not there, in which people have answered a batch of tasks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from annotate.studio.answers import FormAnswers, fill
from annotate.studio.controls import controls
from annotate.studio.project import Kind, Project, find_record
from annotate.studio.pull import pull
from annotate.studio.tasks import vocabulary_hash
from garmentloop.bench.growth.fill import ANSWERED, name_of
from garments.dataset import Dataset

BATCH = 250
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Answers:
    """Speaks as `annotate.studio.client.Studio` does, of one batch of answers a pull."""

    about = f"{BATCH} answered tasks, read and recorded; the server left out"
    server_date = None

    def __init__(self, dataset: Dataset, count: int) -> None:
        """About garments of `count` that were answered before: these are changed."""
        record = find_record(dataset, Kind.MAIN)
        assert record is not None
        self.connection = self
        self._count, self._turn = count, 0
        self._project = Project(1, Kind.MAIN, record.uuid, "", "made-up", "", "", count // ANSWERED)
        self._vocabulary = vocabulary_hash(dataset.taxonomy)
        values = dataset.taxonomy.values("category")
        asked = controls(dataset.taxonomy)
        self._results = [fill(asked, FormAnswers({"category": (value,)})) for value in values]

    def pull(self, dataset: Dataset, turn: int) -> None:
        """Pull the batch of that turn."""
        self._turn = turn
        studio: Any = self
        for _ in pull(dataset, studio):
            pass

    def project(self, kind: Kind) -> Project:
        """The one that there is."""
        return self._project

    def annotation_members(self) -> dict[int, str]:
        """The one who answers."""
        return {1: "made-up"}

    def tasks(self, *_: object, **__: object) -> Iterator[dict[str, Any]]:
        """Those that were answered since the last turn."""
        for place in range(BATCH):
            at = self._turn * BATCH + place
            number = (ANSWERED * at) % self._count
            stamp = (BEGIN + timedelta(seconds=at)).isoformat()
            answer = {
                "id": number,
                "completed_by": 1,
                "updated_at": stamp,
                "was_cancelled": False,
                "lead_time": 3.0,
                "result": self._results[at % len(self._results)],
            }
            yield {
                "id": number,
                "updated_at": stamp,
                "annotations": [answer],
                "data": {
                    "garment_id": name_of("garment", number),
                    "crop_sha": name_of("crop", number),
                    "vocabulary_hash": self._vocabulary,
                },
            }
