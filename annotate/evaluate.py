"""How well a tagger names garments, on labelled pictures, beside what it must beat."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotate.baselines import majority, neighbours_say, thumbnail
from annotate.hearing import Panel
from annotate.preparation import Background
from annotate.samples import Sample, SampleSet, Vocabulary, read_samples
from annotate.score import Figures, answer_figures, label_figures
from annotate.taggers import load_tagger
from extract.pipeline import Step, Threads, Workers
from garments.errors import BadSetting, BadTable
from garments.reading import Answers, read_all
from garments.settings import SpeedSettings
from garments.tagger import Crop, Tagger, Tags
from garments.taxonomy import Taxonomy

READERS, BATCH = 2, 64
"""Threads that read ahead, and crops that are tagged at once."""

COLOR, COLOR_RULE = "color", "rule:color"

Tell = Callable[[int, int], None]
Vector = NDArray[np.float32]


def evaluate_tagger(
    data: Path,
    model: str | Tagger = "starter",
    vocabulary: Vocabulary = "native",
    split: str | None = None,
    attributes: Sequence[str] | None = None,
    background: Background = "grey",
    limit: int | None = None,
    device: str = "auto",
    tell: Tell = lambda done, total: None,
    workers: Workers | None = None,
    speed: SpeedSettings | None = None,
) -> Figures:
    """Score a tagger on a folder laid out like one of the public sets; one flat object of figures.

    `native` asks for the set's own columns and words, `mapped` for the taxonomy's attributes. For
    each column, `<column>_n` labels are scored: accuracy, macro and weighted F1, precision at 1
    and calibration error (15 bins) of the top value, whether or not the tagger abstains; then the
    share of labels where it does not (`_coverage`) and how often it is right there
    (`_precision_at_threshold`); and the weighted F1 of both baselines, in mapped `color` also of
    `rule:color`. `split` None is val or validation where there is one, else all; `attributes` are
    the columns to score, None for all that the tagger answers. `workers` do the work, threads of
    this process unless given; `speed` says what runs the model. Raises `BadTable` for another
    layout, `BadSetting` for a column that is not there.
    """
    found = read_samples(data, vocabulary)
    columns = _columns(found, attributes)
    asked = tuple(columns.values())
    if isinstance(model, str):
        load = partial(_load, model, found.taxonomy, asked, device, background, speed)
        panel = Panel(load(), load)
    else:
        panel = Panel(_with_rule(model, found.taxonomy, asked))
    tagger = panel.taggers[0]
    columns = {name: asked for name, asked in columns.items() if asked in tagger.attributes}
    if not columns:
        raise BadSetting(
            f"expected a tagger for some of {', '.join(found.columns)}, but {tagger.reference} "
            f"answers {', '.join(tagger.attributes)}; choose another model or vocabulary"
        )
    samples = _labelled(found.of_split(split), columns.values(), data)[:limit]
    baselines = _Baselines(samples, found.reference(samples))
    chosen = workers or Threads(READERS)
    answers = _answers(panel, found.taxonomy, samples, baselines, chosen, tell)
    return {"items": len(samples)} | _figures(columns, samples, answers, baselines)


def tagger_for(
    data: Path,
    model: str,
    vocabulary: Vocabulary,
    attributes: Sequence[str] | None,
    background: Background,
    speed: SpeedSettings,
) -> Tagger:
    """The tagger that `evaluate_tagger` would load for these arguments, on the CPU."""
    found = read_samples(data, vocabulary)
    asked = _columns(found, attributes).values()
    return _load(model, found.taxonomy, asked, "cpu", background, speed)[0]


def _columns(found: SampleSet, wanted: Sequence[str] | None) -> dict[str, str]:
    """The columns to score, by name with the attribute that is asked."""
    unknown = [name for name in wanted or () if name not in found.columns]
    if unknown:
        raise BadSetting(
            f"expected some of the columns {', '.join(found.columns)}, but got "
            f"{', '.join(unknown)}; choose among these, or another vocabulary"
        )
    return {name: a for name, a in found.columns.items() if wanted is None or name in wanted}


def _labelled(samples: Sequence[Sample], attributes: Iterable[str], data: Path) -> list[Sample]:
    """The samples that have a label of any of the attributes."""
    asked = set(attributes)
    chosen = [sample for sample in samples if asked & sample.truth.keys()]
    if not chosen:
        raise BadTable(
            f"expected garments with a label of {', '.join(sorted(asked))} in {data}, but there "
            "are none; choose another split or other columns"
        )
    return chosen


def _load(
    model: str,
    taxonomy: Taxonomy,
    attributes: Iterable[str],
    device: str,
    background: Background,
    speed: SpeedSettings | None = None,
) -> list[Tagger]:
    """The tagger for the attributes and those that limit them, and the rule beside it."""
    asked = set(attributes)
    asked |= {taxonomy.attribute(name).parent or name for name in asked}
    ordered = [attribute.id for attribute in taxonomy.attributes if attribute.id in asked]
    tagger = load_tagger(
        model, taxonomy, attributes=ordered, device=device, speed=speed, background=background
    )
    return _with_rule(tagger, taxonomy, attributes)


def _with_rule(tagger: Tagger, taxonomy: Taxonomy, attributes: Iterable[str]) -> list[Tagger]:
    if COLOR not in attributes or tagger.reference == COLOR_RULE:
        return [tagger]
    return [tagger, load_tagger(COLOR_RULE, taxonomy)]


class _Baselines:
    """Thumbnails of all pictures, and what the baselines learn from `reference` by them."""

    def __init__(self, samples: Sequence[Sample], reference: Sequence[Sample]) -> None:
        """`samples` are those that are scored; some of them may be in `reference`."""
        self._samples, self._reference = samples, reference
        self._vectors: dict[str, Vector] = {}

    @property
    def others(self) -> list[Sample]:
        """The pictures that are only learnt from."""
        scored = {sample.name for sample in self._samples}
        return [sample for sample in self._reference if sample.name not in scored]

    def look(self, sample: Sample, small: Vector) -> None:
        """Keep the thumbnail of one picture."""
        self._vectors[sample.name] = small

    def say(self, attribute: str, rows: Sequence[int]) -> dict[str, list[str]]:
        """What each baseline says about the attribute of the samples in `rows`."""
        asked = [self._samples[row].name for row in rows]
        learnt = [sample for sample in self._reference if attribute in sample.truth]
        values = [sample.truth[attribute][0] for sample in learnt]
        if not learnt:
            return {"majority": [""] * len(rows), "knn": [""] * len(rows)}
        places = {sample.name: place for place, sample in enumerate(learnt)}
        near = neighbours_say(
            np.stack([self._vectors[name] for name in asked]),
            np.stack([self._vectors[sample.name] for sample in learnt]),
            [places.get(name) for name in asked],
            values,
        )
        return {"majority": [majority(values)] * len(rows), "knn": near}


@dataclass(frozen=True, eq=False)
class _Told:
    """What was made of a batch of crops: their regions and thumbnails, and what taggers said."""

    regions: list[str]
    thumbnails: list[Vector]
    said: list[Tags]


def _answers(
    panel: Panel,
    taxonomy: Taxonomy,
    samples: Sequence[Sample],
    baselines: _Baselines,
    workers: Workers,
    tell: Tell,
) -> list[dict[str, Answers]]:
    """By tagger: answers about all samples by attribute; the baselines see the same pictures."""
    others = baselines.others
    total = len(samples) + len(others)
    told = list[_Told]()
    steps = [Step(_read), Step(partial(_tag, panel=panel), models=True)]
    names = iter(samples)
    with closing(workers.run(samples, steps, BATCH)) as batches:
        for batch in batches:
            told.append(batch)
            for small in batch.thumbnails:
                baselines.look(next(names), small)
            tell(sum(len(one.regions) for one in told), total)
    with closing(workers.run(others, [Step(_reduce)], BATCH)) as smalls:
        for done, small in enumerate(smalls):
            baselines.look(others[done], small)
            tell(len(samples) + done + 1, total)
    regions = [region for batch in told for region in batch.regions]
    return [
        read_all(
            taxonomy,
            {
                name: np.concatenate([batch.said[number].logits[name] for batch in told])
                for name in tagger.attributes
            },
            told[0].said[number].activation,
            tagger.calibrations,
            regions,
        )
        for number, tagger in enumerate(panel.taggers)
    ]


def _read(batch: Sequence[Sample]) -> list[Crop]:
    return [sample.load() for sample in batch]


def _tag(batch: Sequence[Crop], panel: Panel) -> list[_Told]:
    smalls = [thumbnail(crop.pixels) for crop in batch]
    said = [tagger.tag(batch) for tagger in panel.taggers]
    return [_Told([crop.region for crop in batch], smalls, said)]


def _reduce(batch: Sequence[Sample]) -> list[Vector]:
    return [thumbnail(sample.load().pixels) for sample in batch]


def _figures(
    columns: Mapping[str, str],
    samples: Sequence[Sample],
    answers: Sequence[Mapping[str, Answers]],
    baselines: _Baselines,
) -> Figures:
    figures: Figures = {}
    for column, attribute in columns.items():
        rows = [row for row, sample in enumerate(samples) if attribute in sample.truth]
        if not rows:
            continue
        truths = [samples[row].truth[attribute] for row in rows]
        own = answer_figures(truths, answers[0][attribute], rows)
        figures |= {f"{column}_{name}": value for name, value in own.items()}
        for name, said in baselines.say(attribute, rows).items():
            figures[f"{column}_{name}_weighted_f1"] = label_figures(truths, said)["weighted_f1"]
        if attribute == COLOR and len(answers) > 1:
            rule = answer_figures(truths, answers[1][COLOR], rows)
            for name in ("accuracy", "weighted_f1"):
                figures[f"{column}_rule_{name}"] = rule[name]
    return figures
