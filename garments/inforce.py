"""Whose word counts: which tagger is in force for an attribute, and how it is calibrated."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from garments.calibration import Calibration
from garments.ids import stable_id
from garments.migration.history import History

if TYPE_CHECKING:
    from garments.dataset import Dataset


@dataclass(frozen=True)
class Speaker:
    """A tagger by its model reference and its version (empty: the newest that spoke)."""

    model: str
    tagger: str = ""


def promotions(dataset: "Dataset") -> dict[str, dict[str, Any]]:
    """The newest promotion of a tagger by attribute: of that attribute, or of all.

    One without a model took an earlier one back: the settings' taggers are in force. A promotion
    for an attribute that was renamed holds for it under its present name.
    """
    history = History.of(dataset.folder)
    rows = dataset.catalog.rows("promotions", where="kind = 'tagger'").to_pylist()
    newest: dict[str, dict[str, Any]] = {}
    every = [attribute.id for attribute in dataset.taxonomy.attributes] if rows else []
    for row in sorted(rows, key=lambda row: int(row["seq"])):
        names = [history.attribute(row["attribute"])] if row["attribute"] else every
        newest |= {name: row for name in names if name}
    return newest


def in_force(
    dataset: "Dataset",
    attribute: str,
    spoke: Sequence[Speaker],
    promoted: Mapping[str, Any] | None,
) -> Speaker:
    """Of the taggers that `spoke` about an attribute (one or more), the one whose word counts.

    They are given oldest first.

    The promoted one, else that of the settings, else whoever spoke last; each only if it spoke
    at all. Of the promoted model the promoted version goes before a newer one.
    """
    settings = dataset.settings
    wanted = settings.prelabel.color_by if attribute == "color" else settings.models.tagger
    models = {speaker.model for speaker in spoke}
    if promoted and promoted["model"]:
        tagger = promoted["tagger"] or ""
        model = next((s.model for s in spoke if s.tagger == tagger), promoted["model"])
        if model in models:
            return Speaker(model, tagger)
    if wanted in models:
        return Speaker(wanted)
    return Speaker(spoke[-1].model)


def calibrations(
    dataset: "Dataset", source: str | None = None
) -> dict[tuple[str, str], Calibration]:
    """How taggers are calibrated, by (version, attribute): on labels, else as they came.

    With a `source` (`labels` or `model`) only by that.
    """
    return {key: _calibration(row) for key, row in _newest(dataset, source).items()}


def record_calibrations(
    dataset: "Dataset",
    source: str,
    found: Mapping[tuple[str, str], tuple[Calibration, Mapping[str, float]]],
) -> int:
    """Append calibrations with their figures, by (version, attribute); how many were new.

    One that says what the newest of that `source` says is not new.
    """
    newest, rows = _newest(dataset, source), []
    for (tagger, attribute), (calibration, figures) in found.items():
        before = newest.get((tagger, attribute))
        if before and _calibration(before) == calibration:
            continue
        numbers = vars(calibration)
        parts = (source, tagger, attribute, *numbers.values(), before and before["calibration_id"])
        row = {"tagger": tagger, "attribute": attribute, "source": source, **numbers}
        rows.append(
            row
            | {
                "calibration_id": stable_id("calibration", *parts),
                # JSON has no NaN
                "details": json.dumps({k: v if v == v else None for k, v in figures.items()}),
            }
        )
    return dataset.catalog.add("calibrations", rows)


def _newest(dataset: "Dataset", source: str | None) -> dict[tuple[str, str], dict[str, Any]]:
    """Rows that count by (version, attribute): of one source, else labels before model."""
    rows = dataset.catalog.rows("calibrations").to_pylist()
    rows = [row for row in rows if source in (None, row["source"])]
    rows.sort(key=lambda row: (row["source"] == "labels", int(row["seq"])))
    return {(row["tagger"], row["attribute"]): row for row in rows}


def _calibration(row: Mapping[str, Any]) -> Calibration:
    return Calibration(row["temperature"], row["bias"], row["threshold"], row["items"])
