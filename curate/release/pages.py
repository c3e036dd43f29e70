"""Filling the templates of a release: its card and its datasheet."""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **context: Any) -> str:
    """A template of this package, filled; what goes into HTML is escaped."""
    environment = _environment(template.endswith(".html.jinja"))
    return environment.from_string(asset(template)).render(context)


@cache
def asset(name: str, package: str = "curate.release") -> str:
    """The text of a file beside the templates of a package."""
    return (files(package) / "templates" / name).read_text(encoding="utf-8")


@cache
def _environment(escape: bool) -> "Environment":
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "number": lambda value: f"{value:,}",
        "percent": _percent,
        "at": lambda value: f"{value:.2f}".rstrip("0").rstrip("."),
        "size": human_size,
        "cell": _cell,
    }
    environment.filters |= filters
    return environment


def human_size(size: float) -> str:
    """Bytes as people read them, by powers of 1,000."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.2f} GB"


def _percent(share: float, digits: int = 0) -> str:
    if share != share:
        return "–"  # noqa: RUF001 - a dash is meant
    return f"{100 * share:.{digits}f} %"


def _cell(text: str) -> str:
    """Text in a cell of a Markdown table."""
    return " ".join(str(text).split()).replace("|", "\\|")
