"""The models of a tagging, loaded once for as many photos as come."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotate.in_force import ComposedTagger, load_in_force, trained_models
from annotate.taggers import load_tagger
from extract.base import Detector, Parser
from extract.roles import Roles
from garmentloop.tag.photo import Tag, TagOptions
from garments.dataset import Dataset
from garments.migration.history import History
from garments.reading import Answers, read_all
from garments.settings import Settings
from garments.tagger import Crop, Tagger
from garments.taxonomy import Taxonomy


@dataclass(frozen=True, eq=False)
class Models:
    """Who finds people, who parses them and who tags, under which settings and taxonomy."""

    settings: Settings
    taxonomy: Taxonomy
    roles: Roles
    tagger: Tagger

    def tags(self, crops: Sequence[Crop]) -> list[dict[str, Tag]]:
        """What is said about each crop, by attribute in the taxonomy's order.

        Left out are attributes that are not asked of the crop's region, and those of which no
        value is possible (the sub-category of a category that has none).
        """
        found: list[dict[str, Tag]] = []
        size = self.settings.prelabel.batch
        for start in range(0, len(crops), size):
            found += self._tags(crops[start : start + size])
        return found

    def _tags(self, crops: Sequence[Crop]) -> list[dict[str, Tag]]:
        said = self.tagger.tag(crops)
        regions = [str(crop.region) for crop in crops]
        own = self.tagger.calibrations
        answers = read_all(self.taxonomy, said.logits, said.activation, own, regions)
        columns = {name: self._column(name, answer) for name, answer in answers.items()}
        return [
            {
                name: column[row]
                for name, column in columns.items()
                if column[row].values and name in self.taxonomy.asked(region)
            }
            for row, region in enumerate(regions)
        ]

    def _column(self, attribute: str, answers: Answers) -> list[Tag]:
        """Tags of one attribute, crop by crop."""
        version = self.tagger.version(attribute)
        titles = {value.id: value.title for value in answers.attribute.values}
        columns = (answers.values(), answers.confidence.tolist(), answers.abstained.tolist())
        return [
            Tag(
                values,
                confidence,
                abstained,
                version.id,
                titles=tuple(titles[value] for value in values),
                model=version.model,
            )
            for values, confidence, abstained in zip(*columns, strict=True)
        ]


def load_models(
    dataset: Dataset | None = None,
    options: TagOptions | None = None,
    *,
    detector: Detector | None = None,
    parser: Parser | None = None,
    tagger: Tagger | None = None,
) -> Models:
    """The models in force in `dataset`, or the defaults without one; ready objects where given.

    Detector and parser are loaded when the first photo needs them. Raises `ModelError` for a
    reference that cannot be used and `BadSetting` for a device, each saying what to do.
    """
    options = options or TagOptions()
    settings = options.settings(dataset.settings if dataset else Settings())
    roles = Roles(settings, options.device, detector, parser)
    taxonomy = dataset.taxonomy if dataset else Taxonomy.default()
    return Models(
        settings, taxonomy, roles, tagger or _tagger(dataset, taxonomy, settings, options)
    )


def _tagger(
    dataset: Dataset | None, taxonomy: Taxonomy, settings: Settings, options: TagOptions
) -> Tagger:
    if options.model is None:
        return load_in_force(dataset, taxonomy, options.device, speed=settings.speed)
    alone = load_tagger(
        options.model,
        taxonomy,
        device=options.device,
        speed=settings.speed,
        background=settings.prelabel.background,
        cache=dataset.run / "texts" if dataset else None,
        models=trained_models(dataset) if dataset else None,
        history=History.of(dataset.folder) if dataset else None,
    )
    return ComposedTagger([alone], dataset)  # read as the data set's labels calibrate it
