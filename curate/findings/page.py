"""Pages of what was found, with the crops: below the data set's reports, so that both move."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.findings.duplicates import Group
from curate.findings.suspects import Listed
from curate.release.pages import asset
from garments.dataset import crop_name
from garments.whole import write_page

if TYPE_CHECKING:
    from jinja2 import Template

    from garments.dataset import Dataset

MOST = 500
"""Suspects or groups on a page: as many as somebody looks at in one go."""

_UP = "../"


def write_suspects_page(dataset: "Dataset", found: Sequence[Listed]) -> Path:
    """Write the page of suspect labels, the most suspicious first; its path."""
    return _write(dataset, "suspects", found=found[:MOST], total=len(found))


def write_duplicates_page(dataset: "Dataset", found: Sequence[Group]) -> Path:
    """Write the page of groups, one below the other; its path."""
    return _write(dataset, "duplicates", found=found[:MOST], total=len(found))


def _write(dataset: "Dataset", name: str, **more: Any) -> Path:
    path = dataset.reports / f"{name}.html"
    titles = {
        attribute.id: {value.id: value.title for value in attribute.values}
        for attribute in dataset.taxonomy.attributes
    }
    text = _template(name).render(
        name=dataset.settings.name,
        titles=titles,
        names={attribute.id: attribute.title for attribute in dataset.taxonomy.attributes},
        src=lambda sha: _UP + crop_name(sha),
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        style=asset("style.css", "extract.report") + asset("findings.css", "curate.findings"),
        **more,
    )
    write_page(path, text)
    return path


@cache
def _template(name: str) -> "Template":
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(asset(f"{name}.html.jinja", "curate.findings"))
