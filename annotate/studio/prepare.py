"""Makes tasks ready to be sent: with their pictures where the server finds them."""

from collections.abc import Sequence

from annotate.studio.context import ContextPictures
from annotate.studio.media import Media
from annotate.studio.side import Side
from annotate.studio.survey import Survey
from annotate.studio.tasks import Task


class Preparer:
    """Makes the tasks of one side, with their pictures, for some garments at a time."""

    def __init__(self, survey: Survey, side: Side, garments: Sequence[str]) -> None:
        assert side.project is not None
        self.survey, self.side = survey, side
        rows = [survey.garments[name] for name in garments]
        contexts = ContextPictures(survey.dataset, rows)
        self.media = Media(survey.studio, side.project, contexts)
        self.maker, self.readings = survey.maker(side), survey.readings

    def __call__(self, garments: Sequence[str]) -> list[Task]:
        """The tasks of some of the garments, in their order."""
        rows = [self.survey.garments[name] for name in garments]
        pictures = self.media.pictures(rows)
        return [
            self.maker.make(
                row,
                self.readings.get(name, {}),
                pictures[name],
                self._round(name),
                self.survey.overlap(self.side, name),
            )
            for name, row in zip(garments, rows, strict=True)
        ]

    def _round(self, garment: str) -> str:
        known = self.side.rows.get(garment)
        return self.side.create.get(garment) or (known["round"] if known else "")
