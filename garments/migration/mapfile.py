"""The map of a migration: a small TOML file that says what becomes of old values.

[attributes]                                   # only for attributes as a whole
rename = { pattern = "print" }                 # old = new
remove = ["style"]

[category]                                     # one table an attribute, by its old name
rename = { t-shirt = "tee" }                   # old = new
merge = { top = ["blouse", "tunic"] }          # new = [old, old]
split = { jacket = ["bomber", "blazer"] }      # old = [new, new]; its garments are asked again
remove = ["poncho"]                            # its labels no longer hold

What is in both taxonomies stays as it is and need not be named; new values need no map.
"""

import json
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from garments.errors import BadTaxonomy

ATTRIBUTES = "attributes"
"""The table about attributes as a whole."""


class WholeMap(BaseModel):
    """What becomes of attributes as a whole."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    rename: dict[str, str] = Field(default={}, title="New name by old name")
    remove: list[str] = Field(default=[], title="Attributes whose labels no longer hold")


class ValueMap(WholeMap):
    """What becomes of the values of one attribute."""

    merge: dict[str, list[str]] = Field(default={}, title="Old values by the new one")
    split: dict[str, list[str]] = Field(default={}, title="New values by the old one")

    def named(self) -> list[tuple[str, str]]:
        """Every old value that the map names, with the word under which it does, in order."""
        merged = [(old, "merge") for olds in self.merge.values() for old in olds]
        renamed = [(old, "rename") for old in self.rename]
        split = [(old, "split") for old in self.split]
        return [*renamed, *merged, *split, *((old, "remove") for old in self.remove)]


class MigrationMap(BaseModel):
    """A whole map: about attributes, and about values by the old name of their attribute."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attributes: WholeMap = WholeMap()
    values: dict[str, ValueMap] = {}

    def of(self, attribute: str) -> ValueMap:
        """What becomes of the values of one attribute."""
        return self.values.get(attribute, ValueMap())

    @property
    def text(self) -> str:
        """The map as JSON, the same for maps that say the same."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)


def read_map(path: Path) -> MigrationMap:
    """The map in a file; `BadTaxonomy` names everything that is wrong with its syntax."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadTaxonomy(
            f"expected a map in UTF-8 at {path}, but it cannot be read ({error}); "
            "`garmentloop taxonomy migrate --help` shows one"
        ) from error
    return parse_map(text, str(path))


def parse_map(text: str, name: str = "map") -> MigrationMap:
    """The map in the TOML `text`; `name` is what errors call it."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadTaxonomy(f"expected TOML in {name}, but {error}; correct that line") from error
    values: dict[str, ValueMap] = {}
    whole, problems = WholeMap(), list[str]()
    for table, content in tables.items():
        try:
            if table == ATTRIBUTES:
                whole = WholeMap.model_validate(content)
            else:
                values[table] = ValueMap.model_validate(content)
        except ValidationError as error:
            problems += _explained(table, error)
    if problems:
        raise BadTaxonomy(listed(f"expected a map in {name}", problems))
    return MigrationMap(attributes=whole, values=values)


def listed(expected: str, problems: list[str]) -> str:
    """All that is wrong in one message."""
    count = "is one problem" if len(problems) == 1 else f"are {len(problems)} problems"
    lines = "".join(f"\n  - {problem}" for problem in problems)
    return f"{expected}, but there {count}; nothing was changed:{lines}"


def _explained(table: str, error: ValidationError) -> list[str]:
    """Every fault of a table in words, with its place."""
    kinds = ["rename", "remove"] if table == ATTRIBUTES else ["rename", "merge", "split", "remove"]
    found = []
    for fault in error.errors():
        place = ".".join([table, *(str(step) for step in fault["loc"] if step != "[key]")])
        if fault["type"] == "extra_forbidden":
            found.append(f"{place}: expected one of {', '.join(kinds)} there")
        elif not fault["loc"]:
            found.append(f"{place}: expected a table [{table}] with {', '.join(kinds)}")
        else:
            found.append(f"{place}: {_SHAPES.get(str(fault['loc'][0]), fault['msg'])}")
    return list(dict.fromkeys(found))


_SHAPES = {
    "rename": 'expected { old = "new" }',
    "merge": 'expected { new = ["old", "old"] }',
    "split": 'expected { old = ["new", "new"] }',
    "remove": 'expected ["old", "old"]',
}
