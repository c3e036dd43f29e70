"""`garmentloop tag`: finished inference with and without a data set, and how it is shown."""

import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from click.testing import Result
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field
from typer.testing import CliRunner

from annotate.prelabel import prelabel
from extract.base import Detections
from extract.run import run
from garmentloop.cli import app
from garmentloop.console import table
from garmentloop.tag.inference import tag_photos
from garmentloop.tag.models import Models, load_models
from garmentloop.tag.photo import Tag, TaggedGarment, TaggedPerson, TaggedPhoto, TagOptions
from garmentloop.tag.picture import annotated, drawable
from garmentloop.tag.placing import Wanted, places
from garmentloop.tag.rows import as_json, header, rows, turned_down
from garmentloop.tag.words import shown
from garments.boxes import Box
from garments.dataset import Dataset
from garments.errors import BadInput, BadSetting, UnknownModel
from garments.masks import RunLengthMask
from garments.parts import PARTS, Region
from garments.proposals import readings
from garments.records import Doubt, Verdict
from garments.synthetic import write_street
from garments.taxonomy import Taxonomy

NECKLINE = """
[[attributes]]
id = "neckline"
title = "Neckline"
regions = ["upper", "whole"]
templates = ["a garment with a {}"]
values = [
  { id = "round-neck", title = "Round neck" },
  { id = "v-neck", title = "V-neck" },
]
"""
FEW = """
[[attributes]]
id = "category"
title = "Category"
templates = ["a photo of a {}"]
values = [
  { id = "jumper", title = "Jumper", regions = ["upper"] },
  { id = "trousers", title = "Trousers", regions = ["lower"] },
  { id = "dress", title = "Dress", regions = ["whole"] },
]
"""


class Halves:
    """Finds people in fixed boxes, wherever something was painted."""

    reference, fingerprint = "halves", "halves-1"

    def __init__(self, *boxes: tuple[float, float, float, float]) -> None:
        self.boxes = boxes

    def detect(self, images):
        return [self._detect(image) for image in images]

    def _detect(self, image):
        boxes = self.boxes if image.std() else ()
        scores = np.full(len(boxes), 0.9, np.float32)
        return Detections(np.array(boxes, np.float32).reshape(-1, 4), scores)


class Bands:
    """Sees in every crop a head, a jumper, trousers and feet, from top to bottom."""

    reference, fingerprint, side = "bands", "bands-1", 256

    def parse(self, crops):
        bands = ["hair"] * 16 + ["upper"] * 48 + ["lower"] * 52 + ["feet"] * 12
        parts = np.array([PARTS.index(name) for name in bands])
        hot = np.eye(len(PARTS), dtype=np.float32)[np.tile(parts[:, None], (1, 128))]
        hot[:, :57], hot[:, 71:] = np.eye(len(PARTS))[0], np.eye(len(PARTS))[0]
        return np.repeat(hot.transpose(2, 0, 1)[None] * 0.9 + 0.0125, len(crops), axis=0)


PERSON = (60.0, 20.0, 140.0, 280.0)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures of the street, of which the first has a person who is accepted."""
    folder = tmp_path_factory.mktemp("street")
    for _ in write_street(folder, 2, 0, "unseen"):
        pass
    return folder / "photos"


@pytest.fixture(scope="module")
def defaults() -> Models:
    """What is loaded where there is no data set."""
    return load_models()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A data set that asks one thing only."""
    return _dataset(tmp_path_factory.mktemp("small"), FEW)


@pytest.fixture
def painted(tmp_path: Path) -> Path:
    return _paint(tmp_path / "painted.png")


def _dataset(folder: Path, taxonomy: str) -> Dataset:
    dataset = Dataset.create(folder / "data")
    (dataset.folder / "taxonomy.toml").write_text(taxonomy, encoding="utf-8")
    return dataset


def _paint(path: Path, size: tuple[int, int] = (200, 300)) -> Path:
    pixels = np.full((size[1], size[0], 3), 128, np.uint8)
    pixels[60:150, 80:120], pixels[150:260, 80:120] = (200, 30, 30), (20, 30, 120)
    Image.fromarray(pixels).save(path)
    return path


def _pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture, int)


def _tag(
    *sources: object, dataset: Dataset | None = None, boxes=(PERSON,), **options: object
) -> list[TaggedPhoto]:
    models = load_models(dataset, detector=Halves(*boxes), parser=Bands())
    asked = TagOptions(**options)
    return list(tag_photos([str(one) for one in sources], dataset, asked, models=models))


def _files(folder: Path) -> dict[str, bytes]:
    """All that a data set holds; `run` has caches."""
    paths = (path for path in folder.rglob("*") if path.is_file() and "run" not in path.parts)
    return {str(path): path.read_bytes() for path in paths}


def test_a_street_picture_without_a_data_set(street: Path, defaults: Models) -> None:
    photo, other = tag_photos([str(street)], models=defaults)
    assert (Path(photo.origin).name, photo.problem, photo.pixels) == ("0001.jpg", "", None)
    assert _pixels(street / "0001.jpg").shape == (photo.height, photo.width, 3)
    assert [person.number for person in photo.people] == list(range(1, len(photo.people) + 1))
    assert {garment.region for garment in photo.garments} >= {Region.UPPER, Region.LOWER}
    for garment in photo.garments:
        assert garment.mask and garment.mask.area == garment.area
        assert photo.people[(garment.person or 0) - 1].accepted
        assert {"category", "color", "pattern", "style", "gender"} <= set(garment.tags)
        assert garment.tags["color"].model == "rule:color"
        assert garment.tags["category"].model == "starter"
        allowed = defaults.taxonomy.categories(garment.region)
        assert set(garment.tags["category"].values) <= set(allowed)
    assert not any(person.accepted for person in other.people) or other.garments


def test_it_says_what_extract_and_prelabel_would_and_records_nothing(
    street: Path, tmp_path: Path
) -> None:
    dataset = _dataset(tmp_path, FEW + NECKLINE)
    before = _files(dataset.folder)
    (photo,) = tag_photos([str(street / "0001.jpg")], dataset)
    assert _files(dataset.folder) == before
    list(run(dataset, [str(street / "0001.jpg")]))
    list(prelabel(dataset))
    recorded = readings(dataset)
    assert {garment.garment_id for garment in photo.garments} == set(recorded)
    for garment in photo.garments:
        assert set(garment.tags) == set(recorded[garment.garment_id])
        for attribute, tag in garment.tags.items():
            kept = recorded[garment.garment_id][attribute]
            assert (tag.values, tag.abstained, tag.tagger) == (
                kept.values,
                kept.abstained,
                kept.tagger,
            )
            assert tag.confidence == pytest.approx(kept.confidence, abs=1e-3)


def test_the_data_set_decides_what_is_asked(painted: Path, small: Dataset, tmp_path: Path) -> None:
    (photo,) = _tag(painted, dataset=small)
    said = {garment.region: garment.tags["category"].values for garment in photo.garments}
    assert said == {Region.UPPER: ("jumper",), Region.LOWER: ("trousers",)}
    assert header(small.taxonomy) == ["photo", "person", "region", "category", "confidence"]
    more = _dataset(tmp_path, FEW + NECKLINE)
    (photo,) = _tag(painted, dataset=more)
    asked = {garment.region: set(garment.tags) for garment in photo.garments}
    assert asked == {Region.UPPER: {"category", "neckline"}, Region.LOWER: {"category"}}
    first, second = rows(photo, more.taxonomy)
    assert first[4] in ("Round neck", "V-neck", "Round neck?", "V-neck?") and second[4] == ""


def test_settings_of_the_data_set_count_and_options_go_before_them(
    painted: Path, tmp_path: Path
) -> None:
    dataset = _dataset(tmp_path, FEW)
    dataset.change({"crops.regions": ["lower"]})
    (photo,) = _tag(painted, dataset=dataset)
    assert [garment.region for garment in photo.garments] == [Region.LOWER]
    with pytest.raises(UnknownModel, match="model:nothing"):
        load_models(dataset, TagOptions(model="model:nothing"))
    chosen = load_models(dataset, TagOptions(detector="hf:some/detector"))
    assert chosen.settings.models.detector == "hf:some/detector"


def test_a_model_that_is_named_answers_what_it_can(painted: Path) -> None:
    asked = TagOptions(model="rule:color")
    models = load_models(None, asked, detector=Halves(PERSON), parser=Bands())
    (photo,) = tag_photos([str(painted)], None, asked, models=models)
    assert [garment.tags["color"].values[0] for garment in photo.garments] == ["red", "navy"]
    assert {name for garment in photo.garments for name in garment.tags} == {"color"}


def test_a_promoted_model_is_the_one_that_answers(painted: Path, tmp_path: Path) -> None:
    color = Taxonomy(attributes=(Taxonomy.default().attribute("color"),))
    dataset = _dataset(tmp_path, color.dumps())
    (before,) = _tag(painted, dataset=dataset)
    promoted = {"promotion_id": "p", "kind": "tagger", "attribute": "color", "model": "starter"}
    dataset.catalog.add("promotions", [promoted])
    (after,) = _tag(painted, dataset=dataset)
    models = [{g.tags["color"].model for g in photo.garments} for photo in (before, after)]
    assert models == [{"rule:color"}, {"starter"}]


class _Person(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    person: int = Field(ge=1)
    box: list[float] = Field(min_length=4, max_length=4)
    score: float = Field(ge=0, le=1)
    verdict: Literal["accepted", "too_small", "too_close", "head_only", "half_body", "cut_off"]
    reason: str


class _Tag(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    values: list[str] = Field(min_length=1)
    confidence: float = Field(ge=0, le=1)
    abstained: bool
    model: str = Field(min_length=1)


class _Garment(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    garment_id: str = Field(pattern="^[0-9a-f]{16}$")
    person: int | None
    region: Literal["upper", "lower", "whole", "feet", "accessories", "unknown"]
    box: list[float] = Field(min_length=4, max_length=4)
    area: int = Field(ge=1)
    confidence: float = Field(ge=0, le=1)
    flags: list[str]
    tags: dict[str, _Tag]


class _Photo(BaseModel):
    """What the documentation says about an object of `--json`."""

    model_config = ConfigDict(extra="forbid", strict=True)
    photo: str
    photo_id: str
    width: int
    height: int
    problem: str
    people: list[_Person]
    garments: list[_Garment]


def test_json_is_what_the_documentation_says(street: Path, defaults: Models) -> None:
    for photo in tag_photos([str(street), "nowhere.jpg"], models=defaults):
        read = _Photo.model_validate_json(json.dumps(as_json(photo)))
        assert bool(read.problem) == (read.width == 0)
        assert {garment.person for garment in read.garments} <= {p.person for p in read.people}


@pytest.fixture
def server(painted: Path) -> Iterator[str]:
    """Address of the picture on a server of this machine."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments, **named) -> None:
            super().__init__(*arguments, directory=str(painted.parent), **named)

        def log_message(self, *_) -> None: ...

    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{serving.server_port}/{painted.name}"
    serving.shutdown()
    serving.server_close()


def test_unsafe_and_senseless_sources_are_told_and_the_rest_goes_on(
    server: str, painted: Path, small: Dataset
) -> None:
    wrong = [server, f"file://{painted}", "ftp://example.org/a.jpg", "no such thing", ""]
    *lost, photo = _tag(*wrong, painted, dataset=small)
    assert [bool(one.problem) for one in lost] == [True] * 5 and photo.garments
    assert "not on the public internet; if the picture is yours, give it as a file" in (
        lost[0].problem
    )
    assert "expected an http:// or https:// URL" in lost[1].problem
    assert "a file is given by its path" in lost[1].problem
    assert "check the spelling" in lost[3].problem
    assert all(one.people == () and one.width == 0 for one in lost)


def test_a_folder_with_text_and_a_truncated_picture_goes_on(
    painted: Path, small: Dataset, tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "notes.txt").write_text("no picture", encoding="utf-8")
    Image.fromarray(_pixels(painted).astype(np.uint8)).save(folder / "a.jpg")
    (folder / "b.jpg").write_bytes((folder / "a.jpg").read_bytes()[:900])
    (folder / "c.jpg").write_bytes(b"nonsense")
    shutil.copy(folder / "a.jpg", folder / "d.jpg")
    found = _tag(folder, dataset=small)
    assert [Path(one.origin).name for one in found] == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    assert [bool(one.problem) for one in found] == [False, True, True, False]
    assert "truncated" in found[1].problem
    assert len(found[3].garments) == 2, "the same photo under another name is tagged too"
    assert len(_tag(folder, dataset=small, limit=1)) == 1


def test_nobody_in_the_picture(small: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    Image.fromarray(np.full((120, 160, 3), 90, np.uint8)).save(path)
    (photo,) = _tag(path, dataset=small, pixels=True)
    assert (photo.people, photo.garments, photo.problem) == ((), (), "")
    assert (annotated(photo) == 90).all()


def test_people_who_were_turned_down_come_with_the_reason(painted: Path, small: Dataset) -> None:
    tiny = (150.0, 10.0, 160.0, 30.0)
    (photo,) = _tag(painted, dataset=small, boxes=(tiny, PERSON))
    assert [person.verdict for person in photo.people] == [Verdict.ACCEPTED, Verdict.TOO_SMALL]
    assert {garment.person for garment in photo.garments} == {1}
    assert [person.number for person in shown(photo, False).people] == [1]
    ((name, number, verdict, reason),) = turned_down(shown(photo, True))
    assert (name, number, verdict) == ("painted.png", "2", "too small") and "px high" in reason
    assert not list(turned_down(shown(photo, False)))


def test_as_crops_takes_each_picture_for_one_garment(painted: Path, small: Dataset) -> None:
    (photo,) = _tag(painted, dataset=small, as_crops=True, pixels=True)
    (garment,) = photo.garments
    assert (garment.person, garment.region, garment.mask) == (None, Region.UNKNOWN, None)
    assert garment.box == (0, 0, 200, 300) and photo.people == ()
    assert garment.tags["category"].values[0] in ("jumper", "trousers", "dress")
    assert (annotated(photo) != photo.pixels).any()


def _tagged(count: int, size: tuple[int, int], title: str = "Trousers") -> TaggedPhoto:
    """A photo of people side by side, a garment each."""
    width, height = size
    pixels = np.full((height, width, 3), 120, np.uint8)
    people, clothes = [], []
    for at in range(count):
        x = width * at / count
        box = Box(x, 0.1 * height, x + width / count, 0.9 * height)
        people.append(TaggedPerson(at + 1, box, 0.9, Verdict.ACCEPTED))
        garment = Box(x, 0.5 * height, x + width / count, 0.8 * height)
        tag = Tag(("trousers",), 0.5, bool(at % 2), titles=(title,), model="starter")
        tags = dict.fromkeys(("category", "color", "pattern"), tag)
        mask = np.zeros((height, width), bool)
        mask[round(garment.y1) : round(garment.y2), round(x) : round(garment.x2)] = True
        coded = RunLengthMask.encode(mask)
        clothes.append(
            TaggedGarment("0" * 16, at + 1, Region.LOWER, garment, coded, coded.area, 0.9, (), tags)
        )
    return TaggedPhoto(
        "x.jpg", "0" * 16, width, height, tuple(people), tuple(clothes), pixels=pixels
    )


@pytest.mark.parametrize("size", [(8, 6), (60, 400), (640, 80), (400, 300), (1500, 1000)])
@pytest.mark.parametrize("title", ["Trousers", "A very long title of something " * 9, "長袖"])
def test_an_annotated_picture_has_the_size_of_its_photo(size: tuple[int, int], title: str) -> None:
    photo = _tagged(3, size, title)
    before = photo.pixels.copy()  # type: ignore[union-attr]
    drawn = annotated(photo)
    assert drawn.shape == before.shape and drawn.dtype == np.uint8
    assert (drawn != before).any()
    assert (photo.pixels == before).all(), "the photo's own pixels stay as they are"


def test_a_picture_that_came_reduced_is_drawn_at_its_own_scale() -> None:
    full = _tagged(1, (400, 300))
    half = replace(full, pixels=np.full((150, 200, 3), 120, np.uint8))
    drawn = annotated(half)
    assert drawn.shape == (150, 200, 3)
    assert (drawn[100, 20:180] != 120).any(), "the garment's tint is where it is in the photo"
    assert (drawn[:10] == 120).all()


def test_a_photo_without_pixels_cannot_be_drawn() -> None:
    with pytest.raises(BadInput, match="with its pixels"):
        annotated(replace(_tagged(1, (40, 30)), pixels=None))


def test_labels_lie_apart_and_within_the_picture() -> None:
    boxes = [Box(10 + 50 * at, 100, 60 + 50 * at, 200) for at in range(8)]
    found = places([Wanted(box, 150, 16) for box in boxes], [], 450, 400)
    for at, place in enumerate(found):
        label = place.box
        assert label.x1 >= 0 and label.x2 <= 450 and label.y1 >= 0 and label.y2 <= 400
        assert (label.width, label.height) == pytest.approx((150, 16))
        for other in found[at + 1 :]:
            across = min(label.x2, other.box.x2) - max(label.x1, other.box.x1)
            down = min(label.y2, other.box.y2) - max(label.y1, other.box.y1)
            assert across <= 1e-6 or down <= 1e-6
    (alone,) = places([Wanted(boxes[2], 40, 16)], [], 450, 400)
    assert alone.line is None and alone.box.y2 == boxes[2].y1
    (below,) = places([Wanted(boxes[2], 40, 16)], [Box(0, 0, 450, 100)], 450, 400)
    assert below.box.y1 >= 100, "heads are left free"


def test_titles_are_drawn_in_letters_that_the_font_has() -> None:
    assert drawable("T-shirt") == "T-shirt"
    assert drawable("Décolleté") == "Decollete"
    assert drawable("長袖") == ""


def test_a_second_guess_is_shown_only_when_all_is() -> None:
    photo = _tagged(2, (100, 100))
    guess = replace(photo.garments[0], flags=(Doubt.SECOND_GUESS,))
    photo = replace(photo, garments=(photo.garments[0], guess))
    taxonomy = Taxonomy.parse(FEW)
    assert [row[2] for row in rows(shown(photo, False), taxonomy)] == ["lower"]
    assert [row[2] for row in rows(shown(photo, True), taxonomy)] == ["lower", "lower?"]


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["tag", *map(str, arguments)])


def test_the_command_prints_a_table_and_draws(street: Path, small: Dataset, tmp_path: Path) -> None:
    drawn, other = tmp_path / "drawn", tmp_path / "0001.jpg"
    shutil.copy(street / "0001.jpg", other)
    told = invoke(street / "0001.jpg", other, "-d", small.folder, "--out", drawn)
    assert told.exit_code == 0, told.output
    lines = told.stdout.splitlines()
    assert lines[0].split() == ["photo", "person", "region", "category", "confidence"]
    assert any(line.split()[:3] == ["0001.jpg", "1", "upper"] for line in lines)
    assert "2 photos tagged" in told.stderr
    assert sorted(path.name for path in drawn.iterdir()) == ["0001-2.jpg", "0001.jpg"]
    picture, original = _pixels(drawn / "0001.jpg"), _pixels(other)
    assert picture.shape == original.shape and np.abs(picture - original).max() > 100


def test_a_table_in_a_pipe_is_not_folded(capsys: pytest.CaptureFixture[str]) -> None:
    cells = [f"a rather long cell {number}" for number in range(9)]
    table(cells, [cells])
    assert [len(line.split("  ")) for line in capsys.readouterr().out.splitlines()] == [9, 9]


def test_the_command_writes_json_lines(street: Path, small: Dataset, tmp_path: Path) -> None:
    to = tmp_path / "deep" / "tags.jsonl"
    told = invoke(street, "-d", small.folder, "--json", to, "--all")
    assert told.exit_code == 0 and told.stdout == ""
    read = [_Photo.model_validate_json(line) for line in to.read_text("utf-8").splitlines()]
    assert len(read) == 2 and any(p.verdict != "accepted" for p in read[1].people)
    told = invoke(street / "0001.jpg", "-d", small.folder, "--json", "-")
    assert _Photo.model_validate_json(told.stdout).people == read[0].people


def test_exit_codes(street: Path, small: Dataset, tmp_path: Path) -> None:
    broken, empty = tmp_path / "broken.jpg", tmp_path / "empty"
    broken.write_bytes(b"nonsense")
    empty.mkdir()
    some = invoke(broken, street / "0002.jpg", "-d", small.folder)
    assert some.exit_code == 0 and "not read: " in some.stderr
    assert "1 photos unreadable" in some.stderr
    none = invoke(broken, tmp_path / "absent.jpg", "-d", small.folder)
    assert none.exit_code == 1 and none.stderr.count("not read: ") == 2
    nothing = invoke(empty, "-d", small.folder)
    assert nothing.exit_code == 1 and "No photo found" in nothing.stderr
    assert invoke(street, "-d", tmp_path / "no-data-set").exit_code == 1


def test_no_photo_is_ever_written_over(street: Path, small: Dataset, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    shutil.copy(street / "0001.jpg", photo)
    before = photo.read_bytes()
    for source, to in ((photo, tmp_path), (tmp_path, tmp_path / "tagged")):
        told = invoke(source, "-d", small.folder, "--out", to)
        assert told.exit_code == 1 and "name another one with --out" in told.output
    told = invoke(f"{tmp_path}/*.jpg", "-d", small.folder, "--out", tmp_path / "x" / "..")
    assert told.exit_code == 1 and photo.read_bytes() == before
    told = invoke(photo, "-d", small.folder, "--json", photo)
    assert told.exit_code == 1 and photo.read_bytes() == before


def test_a_wrong_setting_is_refused_before_any_photo(small: Dataset, street: Path) -> None:
    with pytest.raises(BadSetting, match="device"):
        load_models(small, TagOptions(device="toaster"))
    told = invoke(street, "-d", small.folder, "--model", "model:nothing")
    assert told.exit_code == 1 and "expected a tagger" in told.output
