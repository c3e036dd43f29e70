"""`garmentloop import` as somebody types it."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from garmentloop.cli import app

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "curate"))

import public_sets


def run(*arguments: object, fails: bool = False) -> str:
    result = CliRunner().invoke(app, ["import", *map(str, arguments)])
    assert result.exit_code == fails, result.output
    return " ".join(result.output.split())


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return public_sets.clothing(tmp_path / "shop", ["dress", "kilt", "outwear"])


def test_what_is_imported_is_told(shop: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    told = run("clothing", shop, "-d", data)
    assert f"Making data set {data}" in told
    assert "3 photos imported: 0 people, 3 garments, 2 labels" in told
    assert "1 word in no mapping, so no label: kilt 1" in told
    assert "outwear (jacket, coat" in told
    assert (data / "report" / "index.html").exists()
    assert "0 photos imported: 0 people, 0 garments, 0 labels, 3 done before" in run(
        "clothing", shop, "-d", data
    )


def test_a_dry_run_makes_no_data_set(shop: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    told = run("clothing", shop, "-d", data, "--dry-run", "--limit", 2)
    assert f"would make data set {data}" in told
    assert "2 photos would be imported: 0 people, 2 garments, 1 labels" in told
    assert not data.exists()


def test_the_tags_of_ccp_are_pointed_out(tmp_path: Path) -> None:
    root = public_sets.ccp_tags(public_sets.ccp(tmp_path / "ccp", 1), ["dress"])
    told = run("ccp", root, "-d", tmp_path / "data", "--regions", "upper,feet")
    assert "1 photo imported: 1 people, 2 garments, 2 labels" in told
    assert f"garmentloop import ccp-tags {root}" in told
    told = run("ccp-tags", root, "-d", tmp_path / "data", "--dry-run")
    assert "1 photo would be imported" in told
    assert "1 named but not there" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cloting",), "did you mean clothing?"),
        (("ccp",), "It looks like clothing"),
        (("clothing", "--regions", "sleeves"), "sleeves"),
    ],
)
def test_mistakes_leave_no_data_set_behind(
    shop: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    name, *options = arguments
    assert message in run(name, shop, "-d", tmp_path / "data", *options, fails=True)
    assert not (tmp_path / "data").exists()


def test_a_folder_with_other_things_is_left_alone(shop: Path, tmp_path: Path) -> None:
    assert "holds other things" in run("clothing", shop, "-d", shop, fails=True)
    assert sorted(path.name for path in shop.iterdir()) == ["images", "labels.csv"]


def test_two_sets_share_a_data_set(shop: Path, tmp_path: Path) -> None:
    run("clothing", shop, "-d", tmp_path / "data")
    told = run("ccp", public_sets.ccp(tmp_path / "ccp", 2), "-d", tmp_path / "data")
    assert "2 photos imported: 2 people, 3 garments, 3 labels" in told
    assert "3 done before" in run("clothing", shop, "-d", tmp_path / "data")
