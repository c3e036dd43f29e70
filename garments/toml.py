"""Writing TOML: only what the project's own files need (the standard library only reads it)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any


def dumps(table: Mapping[str, Any]) -> str:
    """`table` as TOML: plain keys first, then lists of tables as `[[key]]` blocks.

    Inside a block everything is inline, a list of tables with one line an item. Keys are bare,
    None is left out.
    """
    plain = {key: item for key, item in table.items() if not _is_table_list(item)}
    lines = [f"{key} = {_inline(item)}" for key, item in plain.items() if item is not None]
    for key, item in table.items():
        if _is_table_list(item):
            for block in item:
                lines += ["", f"[[{key}]]", *_block(block)]
    return "\n".join(lines).lstrip("\n") + "\n"


def _block(block: Mapping[str, Any]) -> list[str]:
    lines = []
    for key, item in block.items():
        if _is_table_list(item):
            lines += [f"{key} = [", *(f"  {_inline(entry)}," for entry in item), "]"]
        elif item is not None:
            lines.append(f"{key} = {_inline(item)}")
    return lines


def _is_table_list(item: object) -> bool:
    return isinstance(item, list) and bool(item) and all(isinstance(e, Mapping) for e in item)


def _inline(item: Any) -> str:
    if isinstance(item, Mapping):
        pairs = (f"{key} = {_inline(entry)}" for key, entry in item.items() if entry is not None)
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(item, Sequence) and not isinstance(item, str):
        return "[" + ", ".join(_inline(entry) for entry in item) + "]"
    # a JSON string, number or boolean is the same in TOML, but for DEL
    return json.dumps(item, ensure_ascii=False).replace("\x7f", "\\u007f")
