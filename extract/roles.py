"""The detector and the parser of one run, loaded when the first photo needs them.

Loading takes seconds, and a run that finds everything done needs neither. What a model is can be
told from its folder's files alone; only a hub checkpoint has to be loaded for that.
"""

import hashlib
import platform
from functools import cached_property
from pathlib import Path
from typing import Any

from extract.accelerate.compute import Compute
from extract.base import Detector, Parser
from garments.errors import ModelError
from garments.ids import stable_id
from garments.references import Reference, Source
from garments.settings import ModelSettings, Settings, SpeedSettings


class Roles:
    """Who finds people and who parses them: ready objects, or references that are loaded."""

    def __init__(
        self,
        settings: Settings,
        device: str = "auto",
        detector: Detector | None = None,
        parser: Parser | None = None,
    ) -> None:
        """`detector` and `parser` are used instead of the settings' references where given."""
        self._models, self._speed, self._device = settings.models, settings.speed, device
        self._detector, self._parser = detector, parser
        self._expected: dict[str, str | None] = {}

    @classmethod
    def of(
        cls,
        detector: str | Detector,
        parser: str | Parser,
        device: str = "auto",
        speed: SpeedSettings | None = None,
    ) -> "Roles":
        """The roles where each is a reference or a ready object."""
        names = {
            role: given
            for role, given in (("detector", detector), ("parser", parser))
            if isinstance(given, str)
        }
        return cls(
            Settings(models=ModelSettings(**names), speed=speed or SpeedSettings()),
            device,
            None if isinstance(detector, str) else detector,
            None if isinstance(parser, str) else parser,
        )

    def __getstate__(self) -> dict[str, Any]:
        """What travels to another process: no loaded models, but what they must turn out to be."""
        names = ("_models", "_speed", "_device", "_detector", "_parser")
        known = {role: self.__dict__.get(f"{role}_identity") for role in ("detector", "parser")}
        return {**{name: self.__dict__[name] for name in names}, "_expected": known}

    @property
    def detector_reference(self) -> str:
        """Name of the detector."""
        return self._detector.reference if self._detector else self._models.detector

    @property
    def parser_reference(self) -> str:
        """Name of the parser."""
        return self._parser.reference if self._parser else self._models.parser

    @cached_property
    def detector(self) -> Detector:
        """The detector."""
        if self._detector is not None:
            return self._detector
        from extract.models import load_detector

        loaded = load_detector(self._models.detector, self._device, **self._how)
        self._expect("detector", loaded.reference, loaded.fingerprint)
        return loaded

    @cached_property
    def parser(self) -> Parser:
        """The parser."""
        if self._parser is not None:
            return self._parser
        from extract.models import load_parser

        loaded = load_parser(self._models.parser, self._device, **self._how)
        self._expect("parser", loaded.reference, loaded.fingerprint)
        return loaded

    @cached_property
    def detector_identity(self) -> str:
        """Changes whenever the detector might find something else."""
        if self._detector is not None:
            return self._detector.fingerprint
        known = self._folder_identity(self._models.detector, "detector")
        return known or self.detector.fingerprint

    @cached_property
    def parser_identity(self) -> str:
        """Changes whenever the parser might see something else."""
        if self._parser is not None:
            return self._parser.fingerprint
        return self._folder_identity(self._models.parser, "parser") or self.parser.fingerprint

    @property
    def _how(self) -> dict[str, str]:
        return {"engine": self._speed.engine, "precision": self._speed.precision}

    def _folder_identity(self, reference: str, role: str) -> str | None:
        """Hash of a model's files and of what is asked of it, None where it lies in no folder."""
        files = _folder_identity(reference, role)
        return files and Compute(precision=self._speed.precision).identity(files)

    def _expect(self, role: str, reference: str, fingerprint: str) -> None:
        """`ModelError` where a model that was loaded elsewhere is not the one known here."""
        found = self._folder_identity(reference, role) or fingerprint
        if self._expected.get(role) not in (None, found):
            raise ModelError(
                f"expected the same {role} {reference} on every machine, but {platform.node()} has "
                "another: copy the model's folder there, install the same version of garmentloop, "
                "or choose the same precision for all"
            )


def _folder_identity(reference: str, role: str) -> str | None:
    """Hash of the files of a model that lies in a folder, None for one that does not."""
    parsed = Reference.parse(reference)
    if parsed.source is Source.STARTER:
        folder = Path(__file__).parent / "weights" / role
    elif parsed.source is Source.FOLDER:
        folder = parsed.folder
    else:
        return None
    files = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    if not files:
        return None  # loading it says what is wrong
    return stable_id(role, *(part for path in files for part in (path.name, _file_hash(path))))


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
