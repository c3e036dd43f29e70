"""What the Data Manager shows of a project: pictures and progress, not our bookkeeping."""

import contextlib
from collections.abc import Callable
from typing import Any

from garments.errors import StudioRefused

_BOOKKEEPING = (
    "confidence",
    "answers",
    "crop_sha",
    "form_hash",
    "vocabulary_hash",
    "audit",
    "guidelines",
    "again",
)
_LABEL_STUDIOS = (
    "inner_id",
    "annotations_results",
    "annotations_ids",
    "predictions_score",
    "predictions_model_versions",
    "predictions_results",
    "file_upload",
    "storage_filename",
    "created_at",
    "updated_at",
    "updated_by",
    "draft_exists",
)
_BESIDE_THE_FORM = (
    "id",
    "completed_at",
    "cancelled_annotations",
    "total_predictions",
    "annotators",
    "avg_lead_time",
    *(f"data.{name}" for name in ("photo", "garment_id", "region", "round")),
)
"""Beside an open task there is room for its picture only."""


def add_view(request: Callable[..., Any], project_id: int) -> None:
    """Give a new project its first tab; where the server refuses it makes one of its own."""
    hidden = [*_LABEL_STUDIOS, *(f"data.{name}" for name in _BOOKKEEPING)]
    columns = {
        "explore": [f"tasks:{name}" for name in hidden],
        "labeling": [f"tasks:{name}" for name in (*hidden, *_BESIDE_THE_FORM)],
    }
    data = {"title": "Garments", "type": "list", "target": "tasks", "hiddenColumns": columns}
    with contextlib.suppress(StudioRefused):
        request("POST", "/api/dm/views/", json={"project": project_id, "data": data})
