"""The tagging benchmark compares ways that answer alike."""

from pathlib import Path

from random_clips import save_open_clip

from garmentloop.bench import tagging


def test_ways_answer_alike_and_texts_come_from_the_cache(tmp_path: Path) -> None:
    folder = save_open_clip(tmp_path / "model")
    found = tagging.figures("vit", folder, tagging.categories(), tmp_path, chunks=2)
    figures = {figure.key.removeprefix("tagging_vit_"): figure.value for figure in found}
    assert figures["difference_e6"] < 100
    assert figures["hits"] == 100
    assert figures["peak_mb"] > 100
    assert all(figures[way] > 0 for way in ("ours", "one_by_one", "naive"))


def test_categories_have_one_prompt_each() -> None:
    (category,) = tagging.categories().attributes
    assert all(len(category.prompts(value)) == 1 for value in category.ids)
