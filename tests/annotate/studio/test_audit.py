"""Which garments are chosen, and which of them blind; no server is needed for that."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standin_taggers import add_garments

from annotate.studio.audit import AuditSlice, draw_audit
from annotate.studio.choose import Known, PushOptions, choose, excluded_garments, named_garments
from annotate.studio.context import GARMENT, ContextPictures, boxed, context_path
from garments.boxes import Box
from garments.catalog.rows import person_row, photo_row
from garments.dataset import Dataset
from garments.errors import BadInput, BadSetting
from garments.images import decode, encode_jpeg
from garments.records import Person, Photo, Verdict


def add_sources(dataset: Dataset, photos: list[str], handles: list[str]) -> None:
    rows = [
        {"source_id": f"{photo}/{handle}", "origin": "x", "photo_id": photo, "handle": handle}
        for photo, handle in zip(photos, handles, strict=True)
    ]
    dataset.catalog.add("sources", rows)


@pytest.fixture
def dataset(tmp_path):
    return Dataset.create(tmp_path / "d")


def test_about_that_share_of_photos_is_drawn_and_a_larger_share_holds_the_smaller(dataset) -> None:
    names = add_garments(dataset, 600)
    small, large = draw_audit(dataset, 0.05), draw_audit(dataset, 0.3)
    assert 0.02 < len(small.garments) / 600 < 0.09
    assert 0.24 < len(large.garments) / 600 < 0.36
    assert set(small.garments) < set(large.garments) < set(names)
    assert draw_audit(dataset, 0).garments == ()
    assert set(draw_audit(dataset, 1).garments) == set(names)


def test_who_is_in_it_does_not_depend_on_what_else_there_is(dataset) -> None:
    first = set(add_garments(dataset, 100))
    before = draw_audit(dataset, 0.2)
    add_garments(dataset, 100, first=100)
    after = draw_audit(dataset, 0.2)
    assert set(after.garments) & first == set(before.garments)


def test_photos_of_one_handle_stay_together(dataset) -> None:
    photos = add_garments(dataset, 200)  # the stand-ins have a photo each, of the same name
    handles = [f"@{number % 20}" for number in range(200)]
    add_sources(dataset, photos, handles)
    drawn = draw_audit(dataset, 0.3)
    inside = {handle for photo, handle in zip(photos, handles, strict=True) if photo in drawn}
    assert 0 < len(inside) < 20
    assert len(drawn.garments) == 10 * len(inside)
    assert not drawn.note


def test_copies_of_a_photo_follow_it(dataset) -> None:
    photos = add_garments(dataset, 200)
    alike = [
        photo_row(Photo(photo, 48, 64, phash=f"{number // 10:015x}1"))
        for number, photo in enumerate(photos)
    ]
    dataset.catalog.put("photos", alike)
    drawn = draw_audit(dataset, 0.3)
    groups = {number // 10 for number, photo in enumerate(photos) if photo in drawn}
    assert 0 < len(groups) < 20
    assert len(drawn.garments) == 10 * len(groups)


def test_with_one_handle_it_is_drawn_by_photo_and_the_leak_is_told(dataset) -> None:
    photos = add_garments(dataset, 200)
    add_sources(dataset, photos, ["@me"] * 200)
    drawn = draw_audit(dataset, 0.2)
    assert 10 < len(drawn.garments) < 80
    assert "one handle @me" in drawn.note


def test_a_group_stays_where_it_was_when_the_share_changes(dataset) -> None:
    photos = add_garments(dataset, 40)
    add_sources(dataset, photos, [f"@{number % 4}" for number in range(40)])
    seen, blind = photos[0], photos[1]
    drawn = draw_audit(dataset, 1, {seen: False, blind: True})
    assert not {photos[n] for n in range(0, 40, 4)} & set(drawn.garments)
    drawn = draw_audit(dataset, 0, {seen: False, blind: True})
    assert set(drawn.garments) == {photos[n] for n in range(1, 40, 4)}


def known(count: int, sent=None, rows=(), excluded=()) -> Known:
    names = [f"{number:016x}" for number in range(count)]
    return Known(names, sent or {}, rows, frozenset(excluded))


def sent_row(garment: str, seq: int, audit: bool, round_: str = "round-1") -> dict:
    return {"garment_id": garment, "seq": seq, "round": round_, "audit": audit}


@given(
    count=st.integers(1, 60),
    limit=st.none() | st.integers(1, 70),
    share=st.sampled_from([0.0, 0.05, 0.3, 1.0]),
    select=st.sampled_from(["new", "random"]),
    inside=st.sets(st.integers(0, 59)),
)
def test_choosing_again_after_everything_was_sent_adds_nothing(
    count, limit, share, select, inside
) -> None:
    options = PushOptions(select, limit, audit=share)
    names = known(count).garments
    audit = AuditSlice(tuple(names[n] for n in sorted(inside) if n < count))
    first = choose(options, known(count), audit)
    chosen = [*first.main, *first.audit]
    assert len(chosen) == len(set(chosen)) == min(count, limit or count)
    assert all(name in audit for name in first.audit)
    assert not any(name in audit for name in first.main)
    sent = dict.fromkeys(first.main, False) | dict.fromkeys(first.audit, True)
    rows = [sent_row(name, seq, blind) for seq, (name, blind) in enumerate(sent.items(), 1)]
    again = choose(options, known(count, sent, rows), audit)
    assert (again.main, again.audit) == ([], [])
    other = choose(PushOptions(select, limit, "round-2", share), known(count, sent, rows), audit)
    assert len(other.main) + len(other.audit) == min(count - len(sent), limit or count)


def test_a_limit_keeps_the_audit_share() -> None:
    names = known(200).garments
    choice = choose(PushOptions(limit=100, audit=0.1), known(200), AuditSlice(tuple(names[:20])))
    assert (len(choice.main), choice.audit) == (90, list(names[:10]))


def test_a_file_names_what_is_shown_but_never_what_is_blind(tmp_path) -> None:
    names = known(40).garments
    file = tmp_path / "ids.txt"
    file.write_text("# mine\n" + "\n".join([*reversed(names[:20]), names[3], "f" * 16, ""]))
    state = known(40, {names[4]: False}, [sent_row(names[4], 1, False)], excluded={names[5]})
    audit = AuditSlice(tuple(names[n] for n in (30, 6, 31)))
    choice = choose(PushOptions(str(file), audit=0.1), state, audit)
    assert choice.main == [
        name for name in reversed(names[:20]) if names.index(name) not in (4, 5, 6)
    ]
    assert choice.audit == [names[30], names[6]]
    assert dict(choice.left) == {
        "sent before": 1,
        "turned down by a person": 1,
        "not among the data set's garments": 1,
        "of the audit slice, which has its own turns": 1,
    }


def test_random_differs_by_round_and_not_by_call() -> None:
    one = choose(PushOptions("random", 10, "a"), known(50), AuditSlice())
    two = choose(PushOptions("random", 10, "b"), known(50), AuditSlice())
    assert one == choose(PushOptions("random", 10, "a"), known(50), AuditSlice())
    assert one.main != two.main != sorted(two.main)


def test_wrong_files_and_numbers_are_told(tmp_path) -> None:
    with pytest.raises(BadInput, match="`new`, `random` or a file"):
        named_garments(tmp_path / "newest")
    (tmp_path / "ids").write_text("0123456789abcdef\nshirt\n")
    with pytest.raises(BadInput, match=r"line 2 .*'shirt'"):
        named_garments(tmp_path / "ids")
    (tmp_path / "ids").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="UTF-8"):
        named_garments(tmp_path / "ids")
    with pytest.raises(BadSetting, match="share"):
        PushOptions(audit=5)
    with pytest.raises(BadSetting, match="limit"):
        PushOptions(limit=0)


def test_garments_that_a_person_turned_down_stay_away_until_that_is_taken_back(dataset) -> None:
    row = {"garment_id": "a", "kind": "bad_crop"}
    dataset.catalog.add("decisions", [{**row, "decision_id": "1"}])
    dataset.catalog.add(
        "decisions", [{**row, "decision_id": "2", "garment_id": "b", "kind": "note"}]
    )
    assert excluded_garments(dataset) == {"a"}
    dataset.catalog.add("decisions", [{**row, "decision_id": "3", "withdraws": "1"}])
    assert excluded_garments(dataset) == set()


def test_the_context_picture_has_both_boxes_where_they_are_in_the_photo(dataset) -> None:
    add_garments(dataset, 1)
    photo = "0" * 16
    dataset.catalog.put("photos", [photo_row(Photo(photo, 2000, 3000))])
    person = Person(photo, photo, Box(200, 200, 1800, 2900), 0.9, Verdict.ACCEPTED)
    dataset.catalog.put("people", [person_row(person)])
    grey = np.full((1024, 683, 3), 128, np.uint8)
    preview = dataset.preview_path(photo)
    preview.parent.mkdir(parents=True)
    preview.write_bytes(encode_jpeg(grey))
    row = dataset.catalog.rows("garments").to_pylist()[0]
    row |= {"x1": 600, "y1": 600, "x2": 1400, "y2": 1800, "person_id": photo}
    [path] = ContextPictures(dataset, [row]).draw([row])
    assert path == context_path(dataset, row["garment_id"], row["crop_sha"])
    pixels = decode(path.read_bytes()).pixels
    assert max(pixels.shape) == 512
    scale = 512 / 3000
    at = pixels[round(1200 * scale), round(600 * scale)].astype(int)  # the garment's left side
    assert at[0] > at[1] + 60
    assert pixels[round(1500 * scale), round(200 * scale)].min() > 180  # the person's
    assert abs(int(pixels[round(1200 * scale), round(1000 * scale)].mean()) - 128) < 12
    before = path.stat().st_mtime_ns
    ContextPictures(dataset, [row]).draw([row])
    assert path.stat().st_mtime_ns == before


def test_boxes_beyond_the_picture_are_drawn_at_its_border() -> None:
    pixels = np.zeros((40, 30, 3), np.uint8)
    drawn = boxed(pixels, [(Box(-50, -50, 500, 500), GARMENT)], 1.0)
    assert drawn[0, 15].any() and drawn[39, 15].any() and not drawn[20, 15].any()
    assert not pixels.any()
    assert cv2.countNonZero(drawn[10:30, 10:20].reshape(-1, 3).max(axis=1)) == 0


def test_without_a_preview_there_is_no_context_picture(dataset) -> None:
    add_garments(dataset, 1)
    row = dataset.catalog.rows("garments").to_pylist()[0]
    assert ContextPictures(dataset, [row]).draw([row]) == [None]
    preview = dataset.preview_path(row["photo_id"])
    preview.parent.mkdir(parents=True, exist_ok=True)
    for damaged in (b"", b"no picture at all", encode_jpeg(np.zeros((99, 99, 3), np.uint8))[:200]):
        preview.write_bytes(damaged)
        assert ContextPictures(dataset, [row]).draw([row]) == [None]
