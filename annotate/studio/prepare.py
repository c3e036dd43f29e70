"""Makes tasks ready to be sent: with their pictures where the server finds them."""

from collections.abc import Sequence

from annotate.studio.context import ContextPictures
from annotate.studio.media import Media
from annotate.studio.side import Side
from annotate.studio.survey import Survey
from annotate.studio.tasks import Task


class Preparer:
    """Makes the tasks of one side, by their names, with their pictures, for some at a time."""

    def __init__(self, survey: Survey, side: Side, names: Sequence[str]) -> None:
        assert side.project is not None
        self.survey, self.side = survey, side
        rows = [survey.garments[name] for name in names]
        contexts = ContextPictures(survey.dataset, rows)
        self.media = Media(survey.studio, side.project, contexts)
        self.maker, self.readings = survey.maker(side), survey.readings

    def __call__(self, names: Sequence[str]) -> list[Task]:
        """The tasks of some of the names, in their order."""
        rows = [self.survey.garments[name] for name in names]
        pictures = self.media.pictures(rows)
        return [
            self.maker.make(
                row,
                self.readings.get(name, {}),
                pictures[row["garment_id"]],
                self._round(name),
                self.survey.overlap(self.side, name),
            )
            for name, row in zip(names, rows, strict=True)
        ]

    def _round(self, name: str) -> str:
        known = self.side.rows.get(name)
        return self.side.create.get(name) or (known["round"] if known else "")
