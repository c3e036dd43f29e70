"""Settings of a data set: `dataset.toml`, checked key by key, written with comments that teach."""

import difflib
import inspect
import json
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from garments.errors import BadSetting
from garments.parts import DEFAULT_REGIONS, GARMENT_REGIONS

FORMAT = 1
"""Version of the folder's layout; another one is refused."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class ModelSettings(_Section):
    """Which models are used: starter, hf:<name>, openclip:<name>, dir:<path> or champion."""

    detector: str = Field(default="starter", min_length=1, description="finds people in a photo")
    parser: str = Field(default="starter", min_length=1, description="finds garments on a person")
    tagger: str = Field(default="starter", min_length=1, description="proposes labels for garments")

    @property
    def base_tagger(self) -> str:
        """Who answers what nothing was promoted for: the tagger; the starter under champion."""
        return "starter" if self.tagger == "champion" else self.tagger


class FramingLimits(_Section):
    """When a detected person shows enough of an outfit.

    Shares are of the photo's side or area, aspects are height / width of the box. The defaults
    were fitted by `garmentloop framing fit` to everyday photos and the synthetic street; the score
    and the shares of head and legs were set on the starter models' own findings.
    """

    min_score: float = Field(
        default=0.4, ge=0, le=1, description="detections below this score are no people at all"
    )
    border_share: float = Field(
        default=0.02, ge=0, le=0.5, description="a box this near to a border touches it"
    )
    min_height_share: float = Field(
        default=0.22, ge=0, le=1, description="too_small: box lower than this share of the photo"
    )
    min_height_px: int = Field(
        default=64, ge=1, description="too_small: box lower than this, in pixels"
    )
    close_area_share: float = Field(
        default=0.85, gt=0, le=1, description="too_close: box larger, touching three borders"
    )
    top_aspect: float = Field(
        default=0.5, ge=0, description="cut_off: touches the top and is squatter than this"
    )
    head_aspect: float = Field(
        default=0.9, ge=0, description="head_only: touches the bottom and is squatter than this"
    )
    feet_aspect: float = Field(
        default=2.1, ge=0, description="half_body: touches the bottom and is squatter than this"
    )
    side_aspect: float = Field(
        default=2.3, ge=0, description="cut_off: touches a side and is squatter than this"
    )
    free_aspect: float = Field(
        default=0.5, ge=0, description="half_body: touches nothing and is squatter than this"
    )
    min_head_share: float = Field(
        default=0.005, ge=0, le=1, description="no_head: less of the figure is hair or face"
    )
    min_leg_share: float = Field(
        default=0.002, ge=0, le=1, description="no_legs: less of the figure is legs or feet"
    )


_REGION_NAMES = tuple(str(region) for region in GARMENT_REGIONS)


class CropSettings(_Section):
    """How garments are cut out of a photo."""

    regions: tuple[str, ...] = Field(
        default=tuple(str(region) for region in DEFAULT_REGIONS),
        min_length=1,
        description=f"which garments are cut out, of: {', '.join(_REGION_NAMES)}",
    )
    margin: float = Field(
        default=0.05, ge=0, le=1, description="around the garment's box, as a share of its sides"
    )
    longest: int = Field(
        default=256, ge=16, le=4096, description="longer side of a crop, in pixels"
    )
    second_guess: float = Field(
        default=0.05,
        gt=0,
        le=1,
        description="also cut what the parser gives this share of the clothing; 1 for never",
    )
    background: Literal["keep", "blur", "white"] = Field(
        default="keep", description="what is not the garment: keep, blur or white"
    )

    @model_validator(mode="after")
    def _known_regions(self) -> "CropSettings":
        unknown = [name for name in self.regions if name not in _REGION_NAMES]
        if unknown:
            raise ValueError(
                f"expected regions of {', '.join(_REGION_NAMES)}, but got {', '.join(unknown)}"
            )
        return self


class ExtractSettings(_Section):
    """How photos go through the models; only working_longest changes what is found."""

    batch: int = Field(
        default=8, ge=1, le=1024, description="photos that go through the models at once"
    )
    workers: int = Field(default=2, ge=1, le=256, description="threads that read and decode ahead")
    preview_longest: int = Field(
        default=1024, ge=64, le=8192, description="longer side of the preview of a photo, in pixels"
    )
    working_longest: int = Field(
        default=4096, ge=64, description="larger photos are reduced to this side, in pixels, first"
    )


class SpeedSettings(_Section):
    """What runs the models. Changing precision extracts photos again, as it changes what is found.

    engine: openvino is quicker on a CPU (pip install 'garmentloop[speed]'), torch runs everywhere;
    auto takes openvino where it is installed, and torch for the starter models and on a GPU.
    precision: auto is bf16 where the processor has it, else fp32; starter models stay in fp32.
    int8 is taken once `garmentloop evaluate ... --precision int8` has accepted what it loses.
    """

    engine: Literal["auto", "torch", "openvino"] = Field(
        default="auto", description="auto, torch or openvino"
    )
    precision: Literal["auto", "fp32", "bf16", "int8"] = Field(
        default="auto", description="auto, fp32, bf16 or int8"
    )


class StorageSettings(_Section):
    """Where the catalogue's tables lie.

    The lock and the counter of its writers stay in the data set's folder, so whoever writes shares
    that folder. Tables are not moved when this changes; no two data sets may have the same place.
    """

    tables: str = Field(
        default="",
        pattern=r"^$|^[A-Za-z0-9+.-]+://.+",
        description="such as s3://bucket/mine, gs:// or az://; empty: in this folder",
    )


class PrelabelSettings(_Section):
    """How labels are proposed. Calibration and abstention are applied on reading."""

    second_opinion: tuple[str, ...] = Field(
        default=("rule:color",), description="further taggers that are asked beside models.tagger"
    )
    color_by: str = Field(
        default="rule:color",
        min_length=1,
        description="whose word counts for color until people's labels decide",
    )
    background: Literal["keep", "grey", "blur", "white"] = Field(
        default="grey", description="what a tagger sees beside the garment"
    )
    precision: float = Field(
        default=0.7, gt=0, lt=1, description="wished precision: below it a tagger abstains"
    )
    batch: int = Field(default=32, ge=1, le=4096, description="crops that are tagged at once")


class Settings(_Section):
    """All settings of a data set."""

    format: int = Field(
        default=FORMAT, description="version of this folder's layout, do not change"
    )
    name: str = Field(default="dataset", min_length=1, description="as it appears in reports")
    simulated: bool = Field(
        default=False,
        description="a rehearsal: simulated answers count as people's, never in real work",
    )
    models: ModelSettings = ModelSettings()
    framing: FramingLimits = FramingLimits()
    crops: CropSettings = CropSettings()
    extract: ExtractSettings = ExtractSettings()
    prelabel: PrelabelSettings = PrelabelSettings()
    speed: SpeedSettings = SpeedSettings()
    storage: StorageSettings = StorageSettings()

    @field_validator("name")
    @classmethod
    def _one_line(cls, name: str) -> str:
        if not name.isprintable():
            raise ValueError(f"expected a name on one line, but got {name!r}")
        return name

    def changed(self, changes: dict[str, Any]) -> "Settings":
        """These settings with others for keys like `crops.margin`, checked like a file."""
        data: dict[str, Any] = self.model_dump(mode="json")
        for key, value in changes.items():
            section, _, name = key.rpartition(".")
            place = data.setdefault(section, {}) if section else data
            place[name] = value
        return parse_settings(data, "the changed settings")


def read_settings(path: Path) -> Settings:
    """Settings from a TOML file; `BadSetting` says which key is wrong and what was expected."""
    try:
        with path.open("rb") as file:
            data = tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"expected TOML in {path}, but {error}; mend that line") from error
    return parse_settings(data, str(path))


def parse_settings(data: dict[str, Any], where: str) -> Settings:
    """Settings from plain values; `where` is named in errors."""
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        problems = [_problem(dict(problem)) for problem in error.errors()]
        raise BadSetting(f"{where}: " + "; ".join(problems)) from error


def settings_toml(settings: Settings) -> str:
    """Settings as a TOML file in which every key is explained."""
    top, sections = [], []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, _Section):
            sections.append(section_toml(name, value))
        else:
            top.append(_line(name, value, field.description))
    return "\n\n".join(["".join(top).rstrip(), *sections]) + "\n"


def section_toml(name: str, section: BaseModel) -> str:
    """One section of the file, without a newline at its end."""
    meaning = inspect.cleandoc(type(section).__doc__ or "").splitlines()
    lines = [f"[{name}]\n", *(f"# {line}".rstrip() + "\n" for line in meaning)]
    for key, field in type(section).model_fields.items():
        lines.append(_line(key, getattr(section, key), field.description))
    return "".join(lines).rstrip()


def _line(name: str, value: object, comment: str | None) -> str:
    return f"{name} = {_toml_value(value)}  # {comment}\n"


def _toml_value(value: object) -> str:
    """A JSON text, number, boolean or list is the same in TOML, but for the DEL character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _problem(problem: dict[str, Any]) -> str:
    """One problem that pydantic found, in words that say what to do."""
    place = [str(part) for part in problem["loc"] if not isinstance(part, int)]
    name = ".".join(place) or "settings"
    if problem["type"] == "extra_forbidden":
        known = [".".join([*place[:-1], key]) for key in _known_keys(place[:-1])]
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(known)}"
        return f"unknown setting {name}, {hint}"
    if problem["type"] == "value_error":  # our own words, which say what came
        return f"{name}: {str(problem['msg']).removeprefix('Value error, ')}"
    return f"{name}: {problem['msg'].replace('Input', 'value')}, but got {problem['input']!r}"


def _known_keys(section: list[str]) -> list[str]:
    model: Any = Settings
    for name in section:
        model = model.model_fields[name].annotation
    return list(model.model_fields)
