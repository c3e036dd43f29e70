"""Large tables are indexed, and say the same as they would without an index."""

from pathlib import Path

import pytest

from garments.catalog import Catalog, indexes, one_of

LARGE = 200


def garments(first: int, count: int, region: str = "upper") -> list[dict[str, str]]:
    numbers = range(first, first + count)
    return [
        {"garment_id": f"{n:016x}", "photo_id": f"{n // 2:016x}", "region": region} for n in numbers
    ]


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    monkeypatch.setattr(indexes, "LARGE", LARGE)
    return Catalog(tmp_path / "catalog")


def pieces(catalog: Catalog) -> list[int]:
    found = catalog.newest("garments")
    assert found is not None
    return list(found.stats.index_stats("garment_id_idx")["num_indexed_rows_per_delta"])


def test_a_small_table_has_no_index(catalog: Catalog) -> None:
    catalog.add("garments", garments(0, LARGE - 1))
    catalog.optimize()
    assert catalog.newest("garments").describe_indices() == []


def test_an_index_is_asked_and_kept_up(catalog: Catalog) -> None:
    catalog.add("garments", garments(0, 2 * LARGE))
    catalog.optimize()
    wanted = one_of("garment_id", ["0000000000000003"])
    plan = catalog.newest("garments").scanner(filter=wanted).explain_plan(True)
    assert "ScalarIndexQuery" in plan
    catalog.add("garments", garments(1000, LARGE - 1))
    catalog.optimize()
    assert pieces(catalog) == [2 * LARGE], "few new rows are not worth it"
    catalog.add("garments", garments(2000, 1))
    catalog.optimize()
    assert pieces(catalog) == [2 * LARGE, LARGE]
    catalog.add("garments", garments(3000, LARGE))
    catalog.optimize()
    assert pieces(catalog) == [4 * LARGE], "pieces that are as large as what follows are joined"


def test_rows_are_the_same_with_and_without(tmp_path: Path, catalog: Catalog, monkeypatch) -> None:
    plain = Catalog(tmp_path / "plain")
    monkeypatch.setattr(indexes, "indexed_columns", lambda spec: [])
    write(plain)
    monkeypatch.undo()
    monkeypatch.setattr(indexes, "LARGE", LARGE)
    write(catalog)
    assert catalog.newest("garments").describe_indices() and not (
        plain.newest("garments").describe_indices()
    )
    for where in (
        None,
        one_of("photo_id", [f"{n:016x}" for n in range(0, 700, 3)]),
        one_of("garment_id", [f"{n:016x}" for n in range(0, 1500, 7)]),
        "region = 'lower'",
    ):
        found = [c.rows("garments", ["garment_id", "region"], where) for c in (catalog, plain)]
        one, other = (table.sort_by("garment_id").to_pylist() for table in found)
        assert one == other and one


def write(catalog: Catalog) -> None:
    """Rows added, added again, replaced and deleted, before an index is made and after."""
    catalog.add("garments", garments(0, 500))
    catalog.optimize()
    assert catalog.add("garments", garments(400, 400)) == 300
    catalog.put("garments", garments(100, 50, "lower"))
    catalog.optimize()
    assert catalog.add("garments", garments(0, 800)) == 0
    catalog.put("garments", garments(780, 40, "lower"))
    catalog.newest("garments").delete(one_of("garment_id", [f"{n:016x}" for n in range(30, 60)]))
    assert catalog.add("garments", garments(20, 20)) == 10


def test_a_lost_counter_is_mended_and_an_old_one_too(catalog: Catalog) -> None:
    catalog.add("garments", garments(0, 300))
    old = (catalog.folder / "seq").read_bytes()
    catalog.put("garments", garments(0, 100))
    catalog.optimize()
    highest = catalog.highest("garments", "seq")
    for content in (old, b"torn", None):
        if content is None:
            (catalog.folder / "seq").unlink()
        else:
            (catalog.folder / "seq").write_bytes(content)
        again = Catalog(catalog.folder)
        again.add("garments", garments(int(highest) + 10_000, 1))
        assert again.highest("garments", "seq") == highest + 1
        highest += 1
