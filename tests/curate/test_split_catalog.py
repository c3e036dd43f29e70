"""`curate split` on real catalogues: what is read, what is written, and what is refused."""

import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from typer.testing import CliRunner
from wardrobe import altered, scene, wear

from curate.split.make import SplitOptions, plan_split, split
from curate.split.parts import Part
from curate.split.record import newest_split
from garmentloop.cli import app
from garments.answers import value_of
from garments.catalog.rows import retire_row, source_row
from garments.dataset import Dataset
from garments.errors import BadInput, BadSetting, CatalogError
from garments.ids import stable_id
from garments.labelled import of_test_split
from garments.records import Source
from garments.settings import Settings
from garments.taxonomy import Taxonomy

COLORS = ("red", "blue", "green", "black")


def add(dataset: Dataset, names: list[str], photos: list[str] | None = None) -> list[str]:
    """Garments without pictures, each in a photo of its own unless told otherwise."""
    rows = [
        {"garment_id": name, "photo_id": photo, "region": "upper", "crop_sha": f"c-{name}"}
        for name, photo in zip(names, photos or [f"p-{name}" for name in names], strict=True)
    ]
    dataset.catalog.add("garments", rows)
    return names


def label(dataset: Dataset, names: list[str], kind: str = "annotator", who: str = "ann") -> None:
    rows = [
        {
            "label_id": stable_id("label", name, kind, who),
            "garment_id": name,
            "crop_sha": f"c-{name}",
            "attribute": "color",
            "value": value_of([COLORS[at % len(COLORS)]]),
            "kind": kind,
            "annotator": who,
        }
        for at, name in enumerate(names)
    ]
    dataset.catalog.add("labels", rows)


def blind(dataset: Dataset, names: list[str]) -> None:
    rows = [
        {"task_id": f"t-{name}", "garment_id": name, "audit": True, "state": "created"}
        for name in names
    ]
    dataset.catalog.put("tasks", rows)


def source(dataset: Dataset, names: list[str], **details: str) -> None:
    rows = [
        source_row(Source(stable_id("s", name, *details.values()), name, f"p-{name}", **details))
        for name in names
    ]
    dataset.catalog.add("sources", rows)


def no_copies(_dataset: Dataset) -> dict[str, str]:
    return {}


def draw(dataset: Dataset, **options):
    return split(dataset, SplitOptions(**options), no_copies)


def names(count: int, start: str = "g") -> list[str]:
    return [f"{start}{number:03}" for number in range(count)]


@pytest.fixture
def dataset(tmp_path):
    return Dataset.create(tmp_path / "d")


@pytest.fixture
def labelled(dataset):
    """100 labelled garments, of which 10 were annotated blind, and 20 without a label."""
    add(dataset, names(120))
    label(dataset, names(100))
    blind(dataset, names(10))
    return dataset


def held(dataset: Dataset) -> dict[str, Part]:
    return {garment: found.part for garment, found in newest_split(dataset).items()}


class TestFirst:
    def test_blind_garments_are_test_and_the_others_train_and_val(self, labelled):
        found = draw(labelled)
        assert found.version == "split-1"
        assert found.changed == 100
        assert found.unlabelled == 20
        assert Counter(held(labelled).values()) == {Part.TRAIN: 82, Part.VAL: 8, Part.TEST: 10}
        assert {g for g, part in held(labelled).items() if part is Part.TEST} == set(names(10))
        assert of_test_split(labelled) == set(names(10))
        assert found.counts[Part.TEST].groups == found.counts[Part.TEST].photos == 10
        assert not found.notes

    def test_every_color_has_its_share(self, labelled):
        found = draw(labelled, val=0.2)
        for color in COLORS:
            train, val = found.shares[f"color={color}"]
            assert val == pytest.approx(0.2 * (train + val), abs=1)

    def test_nothing_is_written_by_a_plan(self, labelled):
        plan = plan_split(labelled, SplitOptions(), no_copies)
        assert plan.changed == 100
        assert not labelled.catalog.count("splits")

    def test_blind_garments_without_an_answer_are_test_too(self, dataset):
        add(dataset, names(20))
        label(dataset, names(20)[10:])
        blind(dataset, names(3))
        draw(dataset)
        assert held(dataset)["g000"] is Part.TEST
        assert "g005" not in held(dataset)

    def test_garments_of_a_blind_ones_photo_are_kept_out(self, dataset):
        add(dataset, names(4), ["p1", "p1", "p2", "p3"])
        label(dataset, names(4))
        blind(dataset, ["g000"])
        found = draw(dataset)
        assert held(dataset)["g001"] is Part.QUARANTINE
        assert found.notes[0] == "in quarantine: 1 hang together with test"

    def test_simulated_answers_count_in_a_rehearsal_only(self, tmp_path):
        for simulated in (False, True):
            folder = tmp_path / str(simulated)
            made = Dataset.create(folder, Settings(name="d", simulated=simulated))
            label(made, add(made, names(9)), kind="simulated")
            if simulated:
                assert draw(made).changed == 9
            else:
                with pytest.raises(BadInput, match="expected garments with labels"):
                    draw(made)

    def test_without_a_blind_slice_that_is_told(self, dataset):
        label(dataset, add(dataset, names(9)))
        assert draw(dataset).notes[0].startswith("there is no test part")


class TestSources:
    def test_photos_of_one_handle_stay_together(self, dataset):
        add(dataset, names(60))
        label(dataset, names(60))
        for at in range(12):
            source(dataset, names(60)[at::12], handle=f"@h{at}")
        draw(dataset, val=0.25)
        parts = [{held(dataset)[name] for name in names(60)[at::12]} for at in range(12)]
        assert all(len(inside) == 1 for inside in parts)
        assert Counter(part for inside in parts for part in inside)[Part.VAL] in (3, 4)

    def test_the_only_handle_is_split_by_photo_and_stays_so(self, dataset):
        add(dataset, names(40))
        label(dataset, names(40))
        blind(dataset, names(4))
        source(dataset, names(40), handle="@me")
        found = draw(dataset)
        assert "@me was the only handle" in found.notes[0]
        before = held(dataset)
        label(dataset, add(dataset, names(5, "n")))
        source(dataset, names(5, "n"), handle="@you")
        found = draw(dataset)
        assert {g: part for g, part in held(dataset).items() if g in before} == before
        assert "@me was the only handle" in found.notes[0]
        assert len({held(dataset)[name] for name in names(5, "n")}) == 1

    def test_a_new_link_quarantines_the_train_side(self, labelled):
        source(labelled, ["g099"], handle="@x")
        draw(labelled)
        train = next(g for g, part in held(labelled).items() if part is Part.TRAIN and g != "g099")
        source(labelled, ["g000", train], handle="@y")
        found = draw(labelled)
        assert held(labelled)["g000"] is Part.TEST
        assert held(labelled)[train] is Part.QUARANTINE
        assert found.changed == 1
        assert (
            "in quarantine: 1 hang together with test (1 of them taken out by this split)"
            in found.notes
        )

    def test_an_imported_set_that_names_val_only_gives_it_to_test(self, dataset):
        add(dataset, names(60))
        label(dataset, names(60), kind="import", who="clothing")
        source(dataset, names(60)[:10], split="validation")
        source(dataset, names(60)[10:], split="train")
        draw(dataset)
        assert of_test_split(dataset) == set(names(10))
        assert Counter(held(dataset).values())[Part.VAL] in (4, 5)

    def test_an_imported_set_that_names_all_three_is_taken_at_its_word(self, dataset):
        add(dataset, names(60))
        label(dataset, names(60), kind="import", who="shop")
        words = {name: ("train", "val", "test")[at % 3] for at, name in enumerate(names(60))}
        for word in ("train", "val", "test"):
            source(dataset, [name for name in words if words[name] == word], split=word)
        draw(dataset)
        assert held(dataset) == words

    def test_words_that_mean_nothing_are_told(self, dataset):
        label(dataset, add(dataset, names(9)), kind="import", who="shop")
        source(dataset, names(9), split="fold 3")
        assert "mean nothing here, by photos: fold 3 (9)" in draw(dataset).notes[-1]

    def test_copies_stay_together(self, dataset):
        picture = scene(1)
        wear(dataset, "photo-a", picture, {"a-up": picture[:120]})
        wear(dataset, "photo-b", altered(picture, "smaller"), {"b-up": scene(7)[:120]})
        for seed in range(2, 6):
            wear(dataset, f"photo-{seed}", scene(seed), {f"{seed}-up": scene(seed)[:120]})
        label(dataset, ["a-up", "b-up", *(f"{seed}-up" for seed in range(2, 6))])
        blind(dataset, ["a-up"])
        split(dataset, SplitOptions())
        found = held(dataset)
        assert found["a-up"] is Part.TEST
        assert found["b-up"] is Part.QUARANTINE
        assert Part.QUARANTINE not in {found[f"{seed}-up"] for seed in range(2, 6)}


class TestAgain:
    def test_copies_that_are_no_longer_found_stay_together(self, labelled):
        copies = {"g000": "x", "g050": "x", "g060": "y", "g061": "y"}
        split(labelled, SplitOptions(), lambda _: copies)
        before = newest_split(labelled)
        assert before["g050"].part is Part.QUARANTINE
        label(labelled, add(labelled, ["n000"], ["p-g060"]))
        assert draw(labelled).changed == 1
        after = newest_split(labelled)
        assert after["g050"].part is Part.QUARANTINE
        assert after["g050"].group == after["g000"].group == "p-g000"
        assert after["n000"].part is after["g060"].part is after["g061"].part

    def test_a_second_time_changes_nothing(self, labelled):
        draw(labelled)
        before = labelled.catalog.rows("splits").to_pylist()
        again = draw(labelled)
        assert not again.changed
        assert again.version == "split-1"
        assert labelled.catalog.rows("splits").to_pylist() == before

    def test_what_comes_later_finds_the_others_where_they_were(self, labelled):
        draw(labelled)
        before = held(labelled)
        label(labelled, add(labelled, names(30, "n")))
        blind(labelled, names(3, "n"))
        found = draw(labelled)
        assert found.version == "split-2"
        assert found.changed == 30
        assert {g: part for g, part in held(labelled).items() if g in before} == before

    def test_a_garment_that_was_train_and_is_then_sent_blind_is_in_no_part(self, labelled):
        draw(labelled)
        train = next(g for g, part in held(labelled).items() if part is Part.TRAIN)
        blind(labelled, [train])
        found = draw(labelled)
        assert held(labelled)[train] is Part.QUARANTINE
        assert "1 from train that should be test now" in found.notes[0]

    def test_a_retired_garment_still_keeps_its_photo_where_it_was(self, labelled):
        draw(labelled)
        gone = type("Gone", (), {"photo_id": "p-g000", "garment_id": "g000"})
        labelled.catalog.add("extractions", [retire_row(gone, "c")])
        label(labelled, add(labelled, ["n000"], ["p-g000"]))
        draw(labelled)
        assert held(labelled)["n000"] is Part.QUARANTINE

    def test_a_name_that_exists_is_refused_unless_nothing_changes(self, labelled):
        draw(labelled, version="spring")
        assert not draw(labelled, version="spring").changed
        label(labelled, add(labelled, ["n000"]))
        with pytest.raises(BadInput, match="spring exists and 1 garments would change"):
            draw(labelled, version="spring")
        assert draw(labelled).version == "split-2"
        assert labelled.catalog.counts("splits", "version") == {"split-2": 101, "spring": 100}

    def test_two_at_once_make_one_version(self, labelled):
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: draw(Dataset.open(labelled.folder)), range(4)))
        assert sorted(one.changed for one in found) == [0, 0, 0, 100]
        assert labelled.catalog.counts("splits", "version") == {"split-1": 100}

    def test_a_write_that_fails_leaves_no_part_of_a_version(self, labelled, monkeypatch):
        from garments.catalog.store import Store

        def full(*_):
            raise OSError("No space left on device")

        monkeypatch.setattr(Store, "_numbered", full)
        with pytest.raises(CatalogError, match="free some disk space"):
            draw(labelled)
        monkeypatch.undo()
        assert not labelled.catalog.count("splits")
        assert draw(labelled).version == "split-1"

    @pytest.mark.faults
    def test_killed_at_any_time_it_is_there_whole_or_not_at_all(self, labelled, fault_rounds):
        script = (
            "import sys; from garments.dataset import Dataset\n"
            "from curate.split.make import split\n"
            "dataset = Dataset.open(sys.argv[1]); print('ready', flush=True)\n"
            "split(dataset, None, lambda d: {})"
        )
        for number in range(fault_rounds):
            label(labelled, add(labelled, names(3, f"k{number}-")))
            before = labelled.catalog.count("splits")
            process = subprocess.Popen(
                [sys.executable, "-c", script, str(labelled.folder)], stdout=subprocess.PIPE
            )
            assert process.stdout is not None
            process.stdout.readline()
            try:
                process.wait(timeout=0.02 + 0.06 * (number % 8))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
            expected = 100 + 3 * (number + 1)
            assert labelled.catalog.count("splits") - before in (0, expected)
            draw(labelled)
            assert len(held(labelled)) == expected


class TestBadInput:
    def test_nothing_labelled(self, dataset):
        add(dataset, names(3))
        with pytest.raises(BadInput, match=r"expected garments with labels in .*annotate pull"):
            draw(dataset)
        assert not dataset.catalog.count("splits")

    def test_labels_of_garments_that_are_gone(self, dataset):
        label(dataset, names(3))
        with pytest.raises(BadInput, match="expected garments with labels"):
            draw(dataset)

    def test_one_photo_cannot_be_divided(self, dataset):
        label(dataset, add(dataset, names(5), ["p"] * 5))
        with pytest.raises(BadInput, match=r"5 of them belong to one group.*--val 0"):
            draw(dataset)
        assert draw(dataset, val=0.0).changed == 5

    @pytest.mark.parametrize("val", [-0.1, 0.51, float("nan")])
    def test_a_share_that_makes_no_sense(self, val):
        with pytest.raises(BadSetting, match=r"from 0 to 0\.5"):
            SplitOptions(val=val)

    @pytest.mark.parametrize("name", ["", "a b", "../x", "-x", "x" * 65, "spring\n"])
    def test_a_version_name_that_makes_no_sense(self, name):
        with pytest.raises(BadSetting, match="expected a version name"):
            SplitOptions(version=name)

    def test_disputed_and_invisible_labels_give_no_value(self, dataset):
        add(dataset, names(9))
        label(dataset, names(9))
        rows = [
            {
                "label_id": f"x-{name}",
                "garment_id": name,
                "attribute": "pattern",
                "value": "not_visible",
                "kind": "annotator",
                "annotator": "ann",
            }
            for name in names(9)
        ]
        dataset.catalog.add("labels", rows)
        assert not [value for value in draw(dataset).shares if value.startswith("pattern")]


class TestCommand:
    def run(self, *arguments):
        return CliRunner().invoke(app, ["curate", "split", *map(str, arguments)])

    def test_it_prints_the_parts_and_what_it_did(self, labelled):
        result = self.run("-d", labelled.folder, "--val", "20 %")
        assert result.exit_code == 0, result.output
        assert re.search(r"test +10 +10 +10", result.output)
        assert "split-1 is in force: 100 garments changed or new; 20 have no label yet" in (
            result.output
        )
        assert "Nothing changed since split-1" in self.run("-d", labelled.folder).output

    def test_a_dry_run_changes_nothing(self, labelled):
        result = self.run("-d", labelled.folder, "--dry-run")
        assert "split-1 would be in force" in result.output
        assert not labelled.catalog.count("splits")

    @pytest.mark.parametrize("text", ["", "ten", "60%", "-1", "nan", "10%%"])
    def test_a_share_that_makes_no_sense(self, labelled, text):
        result = self.run("-d", labelled.folder, f"--val={text}")
        assert result.exit_code == 1
        assert "expected a share from 0% to 50%" in result.output


def test_the_taxonomy_knows_the_colors_used_here():
    assert set(COLORS) <= set(Taxonomy.default().values("color"))
