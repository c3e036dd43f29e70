"""The README's table of speed, from the figures of one run of `make bench`.

`python -m garmentloop.bench.told FIGURES.json` prints it.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Figures = Mapping[str, Any]
"""What `python -m garmentloop.bench --json FILE` writes."""

ROWS = (
    (
        "`extract` with the starter models, {many_photos:,} photos, start-up and contact sheet "
        "included",
        "{extract_photos_per_second:.1f} photos/s",
    ),
    (
        "its peak memory at {photos:,} and at {many_photos:,} photos",
        "{extract_peak_mb:,.0f} MB and {extract_peak_mb_many:,.0f} MB",
    ),
    ("the same photos again, nothing to do", "{resume_seconds:.1f} s"),
    (
        "the same on one core; share of it outside the models ([docs/speed.md](docs/speed.md))",
        "{stage_photos_per_second:.2f} photos/s; {stage_outside_models:.1f} %",
    ),
    (
        "DETR-ResNet-50, SegFormer-B2 and two crops by ViT-B/32, real size, random weights, one "
        "pinned core, against the libraries' pipelines one photo at a time with texts kept: "
        "OpenVINO bf16 / int8, torch bf16",
        "{models_ratio_bf16:.2f} x / {models_ratio_int8:.2f} x, {models_ratio_torch:.2f} x",
    ),
    (
        "share of what the core does in large matrices, by OpenVINO bf16 (all products in "
        "its layers, each by itself by torch, would take {models_products:.0f} % of its time); two "
        "cores against one",
        "{models_floor:.1f} % of {models_peak:,.0f} GFLOP/s; {models_two_cores:.2f} x",
    ),
    (
        "the same models on a GPU in bf16; share of what it does in large matrices",
        "{gpu_photos_per_second:.0f} photos/s; {gpu_share:.1f} %",
    ),
    (
        "{small_photos:,} small photos, models that take no time: threads / "
        "`--workers ray`, its start",
        "{ray_local_ms:.1f} / {ray_ms:.1f} ms a photo, {ray_start_seconds:.1f} s",
    ),
    (
        "`starter` tagging, 1,697 prompts, text embeddings cached, against one crop at a time / "
        "reading the prompts again for every crop",
        "{tagging_starter_ours:.0f} crops/s, {tagging_starter_ratio_one_by_one:.1f} x / "
        "{tagging_starter_ratio_naive:.0f} x",
    ),
    (
        "ViT-B/32 of real size, random weights, 46 prompts, likewise",
        "{tagging_vit_ours:.0f} crops/s, {tagging_vit_ratio_one_by_one:.1f} x / "
        "{tagging_vit_ratio_naive:.0f} x",
    ),
    (
        "text cache: first crop with all 1,697 prompts to read / found again",
        "{tagging_starter_texts_cold:.2f} s / {tagging_starter_texts_warm:.2f} s",
    ),
    (
        "peak memory of tagging, `starter` and ViT-B/32",
        "{tagging_starter_peak_mb:,.0f} MB and {tagging_vit_peak_mb:,.0f} MB",
    ),
    (
        "a probe on {probed:,} kept crops, all 239 values, its strengths chosen, against "
        "scikit-learn's logistic regressions",
        "{probe_seconds:.1f} s, {probe_against_scikit_learn:.2f} x",
    ),
    (
        "`annotate push` of {tasks:,} tasks to a local Label Studio: photos drawn before / on "
        "the way",
        "{studio_push_drawn:.0f} / {studio_push:.0f} tasks/s",
    ),
    (
        "new proposals for tasks that nobody touched (the server takes them one by one)",
        "{studio_update:.0f} tasks/s",
    ),
    (
        "`curate sync` of {grid:,} garments, the first time / nothing to do / 100 labelled",
        "{curation_first_sync:.0f} s / {curation_sync_again:.1f} s / {curation_sync_changes:.1f} s",
    ),
    ("a value set for 500 selected crops, in catalogue and grid", "{curation_bulk:.1f} s"),
    (
        "`curate select` of 300 of {pool:,} garments with six attributes and vectors of 128, start "
        "of Python included: `uncertain-diverse` / `diverse`",
        "{selection_uncertain_diverse_seconds:.1f} s, "
        "{selection_uncertain_diverse_peak_mb:,.0f} MB / {selection_diverse_seconds:.1f} s, "
        "{selection_diverse_peak_mb:,.0f} MB",
    ),
    (
        "`status` of {garments:,} garments, start of Python included",
        "{status_command_seconds:.1f} s",
    ),
)
"""What is told, and the figures that tell it."""


def table(figures: Figures) -> str:
    """Markdown: which machine, how long it took, and a row for what was measured."""
    minutes = figures["seconds"] / 60
    head = f"Measured by one run of `make bench` in {minutes:.1f} minutes: {figures['machine']}."
    return "\n".join([head, "", "| figure | value |", "| --- | --- |", *_rows(figures), ""])


def _rows(figures: Figures) -> Iterator[str]:
    for words, value in ROWS:
        try:
            yield f"| {words.format_map(figures)} | {value.format_map(figures)} |"
        except KeyError:  # what it needs is not installed there, so nothing was measured
            continue


if __name__ == "__main__":
    print(table(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
