"""How photos were extracted: models and settings behind a configuration hash, kept as JSON."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from extract.files import Writer
from garments.dataset import Dataset


@dataclass(frozen=True)
class Provenance:
    """Model references and fingerprints, and the settings that decide what is found."""

    config_hash: str
    detector: str = ""
    detector_identity: str = ""
    parser: str = ""
    parser_identity: str = ""
    framing: dict[str, Any] = field(default_factory=dict)
    crops: dict[str, Any] = field(default_factory=dict)


def write_provenance(dataset: Dataset, provenance: Provenance, writer: Writer) -> None:
    """Keep what `provenance.config_hash` stands for in the data set."""
    text = json.dumps(asdict(provenance), indent=2, sort_keys=True) + "\n"
    writer.write(_path(dataset, provenance.config_hash), text.encode())


def read_provenance(dataset: Dataset, config_hash: str) -> Provenance:
    """What a configuration hash stands for; only the hash where that was not kept."""
    try:
        return Provenance(**json.loads(_path(dataset, config_hash).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Provenance(config_hash)


def _path(dataset: Dataset, config_hash: str) -> Path:
    return dataset.run / "extractions" / f"{config_hash}.json"
