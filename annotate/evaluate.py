"""How well a tagger names garments, on labelled pictures, beside what it must beat."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotate.baselines import majority, neighbours_say, thumbnail
from annotate.preparation import Background
from annotate.samples import Sample, SampleSet, Vocabulary, read_samples
from annotate.score import Figures, answer_figures, label_figures
from annotate.taggers import load_tagger
from extract.ahead import ahead, in_batches
from garments.errors import BadSetting, BadTable
from garments.reading import Answers, read_all
from garments.tagger import Crop, Tagger, Tags
from garments.taxonomy import Taxonomy

BATCH = 64
"""Crops that are tagged at once."""

COLOR, COLOR_RULE = "color", "rule:color"

Tell = Callable[[int, int], None]
Vectors = NDArray[np.float32]


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
) -> Figures:
    """Score a tagger on a folder laid out like one of the public sets; one flat object of figures.

    `native` asks for the set's own columns and words, `mapped` for the taxonomy's attributes. For
    each column, `<column>_n` labels are scored: accuracy, macro and weighted F1, precision at 1
    and calibration error (15 bins) of the top value, whether or not the tagger abstains; then the
    share of labels where it does not (`_coverage`) and how often it is right there
    (`_precision_at_threshold`); and the weighted F1 of both baselines, in mapped `color` also of
    `rule:color`. `split` None is val or validation where there is one, else all; `attributes` are
    the columns to score, None for all that the tagger answers. Raises `BadTable` for another
    layout, `BadSetting` for a column that is not there.
    """
    found = read_samples(data, vocabulary)
    columns = _columns(found, attributes)
    tagger = _tagger(model, found.taxonomy, columns.values(), device, background)
    columns = {name: asked for name, asked in columns.items() if asked in tagger.attributes}
    if not columns:
        raise BadSetting(
            f"expected a tagger for some of {', '.join(found.columns)}, but {tagger.reference} "
            f"answers {', '.join(tagger.attributes)}; choose another model or vocabulary"
        )
    samples = _labelled(found.of_split(split), columns.values(), data)[:limit]
    taggers = [tagger]
    if COLOR in columns.values() and tagger.reference != COLOR_RULE:
        taggers.append(load_tagger(COLOR_RULE, found.taxonomy))
    baselines = _Baselines(samples, found.reference(samples))
    answers = _answers(taggers, found.taxonomy, samples, baselines, tell)
    return {"items": len(samples)} | _figures(columns, samples, answers, baselines)


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


def _tagger(
    model: str | Tagger,
    taxonomy: Taxonomy,
    attributes: Iterable[str],
    device: str,
    background: Background,
) -> Tagger:
    """The tagger for the attributes and those that limit them."""
    if not isinstance(model, str):
        return model
    asked = set(attributes)
    asked |= {taxonomy.attribute(name).parent or name for name in asked}
    ordered = [attribute.id for attribute in taxonomy.attributes if attribute.id in asked]
    return load_tagger(model, taxonomy, attributes=ordered, device=device, background=background)


class _Baselines:
    """Thumbnails of all pictures, and what the baselines learn from `reference` by them."""

    def __init__(self, samples: Sequence[Sample], reference: Sequence[Sample]) -> None:
        """`samples` are those that are scored; some of them may be in `reference`."""
        self._samples, self._reference = samples, reference
        self._vectors: dict[str, Vectors] = {}

    @property
    def others(self) -> list[Sample]:
        """The pictures that are only learnt from."""
        scored = {sample.name for sample in self._samples}
        return [sample for sample in self._reference if sample.name not in scored]

    def look(self, sample: Sample, crop: Crop) -> None:
        """Keep the thumbnail of one picture."""
        self._vectors[sample.name] = thumbnail(crop.pixels)

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


def _answers(
    taggers: Sequence[Tagger],
    taxonomy: Taxonomy,
    samples: Sequence[Sample],
    baselines: _Baselines,
    tell: Tell,
) -> list[dict[str, Answers]]:
    """By tagger: answers about all samples by attribute; the baselines see the same pictures."""
    others = baselines.others
    total = len(samples) + len(others)
    regions: list[str] = []
    said: list[list[Tags]] = []
    for batch in in_batches(_loaded(samples), lambda loaded: True, BATCH, BATCH):
        crops = [crop for _, crop in batch]
        regions += [crop.region for crop in crops]
        said.append([tagger.tag(crops) for tagger in taggers])
        for sample, crop in batch:
            baselines.look(sample, crop)
        tell(len(regions), total)
    for done, (sample, crop) in enumerate(_loaded(others), start=len(samples) + 1):
        baselines.look(sample, crop)
        tell(done, total)
    return [
        read_all(
            taxonomy,
            {
                name: np.concatenate([tags.logits[name] for tags in mine])
                for name in tagger.attributes
            },
            mine[0].activation,
            tagger.calibrations,
            regions,
        )
        for tagger, mine in zip(taggers, zip(*said, strict=True), strict=True)
    ]


def _loaded(samples: Sequence[Sample]) -> Iterator[tuple[Sample, Crop]]:
    with ThreadPoolExecutor(2) as pool:
        yield from ahead(pool, lambda sample: (sample, sample.load()), samples, 2 * BATCH)


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
