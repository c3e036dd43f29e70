"""Downloaded Instagram profiles: who posted a picture and when, from the JSON beside it.

Two layouts are read. instaloader writes `2020-01-31_12-00-00_UTC.jpg` (`..._UTC_1.jpg`, `_2` in a
carousel) with `2020-01-31_12-00-00_UTC.json` or `.json.xz` beside it, in a folder named as the
profile. Instagram's own "Download your information" puts pictures below `media/` and lists them in
`posts_1.json` and the like, by `uri` from the export's top folder.
"""

import json
import lzma
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from garments.files import printable

INSTALOADER_NAME = re.compile(r"(\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d)_UTC")
HANDLE = re.compile(r"[A-Za-z0-9._]{1,30}")
CAROUSEL_NUMBER = re.compile(r"_\d{1,2}$")
SIDECAR_SUFFIXES = (".json", ".json.xz")
MAX_JSON_BYTES = 64 * 2**20

EXPORT_LISTS = re.compile(
    r"(posts(_\d+)?|stories|reels|profile_photos|archived_posts|recently_deleted_content|"
    r"other_content|igtv_videos)\.json"
)
EXPORT_LIST_FOLDERS = (
    "",
    "content",
    "media",
    "your_instagram_activity/content",
    "your_instagram_activity/media",
    "your_instagram_activity/posts",
)
EXPORT_PROFILES = (
    "personal_information/personal_information/personal_information.json",
    "personal_information/personal_information.json",
    "account_information/personal_information.json",
)
EXPORT_FOLDER_NAMES = (
    re.compile(r"instagram-(?P<handle>[\w.]+)-\d{4}-\d\d-\d\d"),
    re.compile(r"(?P<handle>[\w.]+)_\d{8}"),
)


def post_of(path: Path, siblings: set[str]) -> tuple[str, str]:
    """Handle and ISO time of the picture `path` in instaloader's layout, '' where not known.

    `siblings` are the names in its folder. Without the JSON, or with a damaged one, time comes from
    the file's name and handle from the folder's.
    """
    handle = taken_at = ""
    if name := INSTALOADER_NAME.match(path.name):
        handle = _folder_handle(path.parent)
        taken_at = _iso_of_name(name[1])
    for stem in (path.stem, CAROUSEL_NUMBER.sub("", path.stem)):
        for suffix in SIDECAR_SUFFIXES:
            if stem + suffix in siblings:
                node = _read_json(path.parent / (stem + suffix))
                node = node.get("node") if isinstance(node, dict) else None
                if isinstance(node, dict):
                    return _owner(node) or _folder_handle(path.parent), _node_time(node) or taken_at
    return handle, taken_at


def is_sidecar(name: str) -> bool:
    """Whether `name` is a file of metadata or a caption in instaloader's layout."""
    return bool(INSTALOADER_NAME.match(name)) and name.endswith((*SIDECAR_SUFFIXES, ".txt"))


@dataclass(frozen=True)
class Export:
    """One "Download your information" folder: whose it is, and the time of each picture.

    `times` has the paths from `top`, with slashes, as keys.
    """

    top: Path
    handle: str
    times: dict[str, str]

    @classmethod
    def at(cls, folder: Path, names: Sequence[str]) -> "Export | None":
        """The export whose top is `folder`, with `names` in it, or None where it is none."""
        if "media" not in names:
            return None
        times: dict[str, str] = {}
        for place in EXPORT_LIST_FOLDERS:
            for path in sorted((folder / place).glob("*.json")):
                if EXPORT_LISTS.fullmatch(path.name):
                    times.update(_listed(_read_json(path)))
        return cls(folder, _export_handle(folder), times) if times else None

    def post(self, path: Path) -> tuple[str, str]:
        """Handle and ISO time of the picture `path` inside the export."""
        return self.handle, self.times.get(path.relative_to(self.top).as_posix(), "")


def _listed(lists: object) -> Iterator[tuple[str, str]]:
    """Every `uri` in `lists` with its own `creation_timestamp`, else that of what holds it."""
    waiting: list[tuple[object, object]] = [(lists, None)]
    while waiting:
        value, time = waiting.pop()
        if isinstance(value, list):
            waiting += [(item, time) for item in value]
        elif isinstance(value, dict):
            time = value.get("creation_timestamp") or time
            if isinstance(uri := value.get("uri"), str):
                yield uri, _iso(time)
            waiting += [(item, time) for item in value.values()]


def _export_handle(folder: Path) -> str:
    """The user name from the profile's JSON, else from the folder's name."""
    for place in EXPORT_PROFILES:
        try:
            profile = _read_json(folder / place)["profile_user"][0]
            return printable(profile["string_map_data"]["Username"]["value"])
        except (KeyError, IndexError, TypeError, AttributeError):
            continue  # another version of the layout, or no profile in this export
    matches = (pattern.match(folder.name) for pattern in EXPORT_FOLDER_NAMES)
    return next((match["handle"] for match in matches if match), folder.name)


def _folder_handle(folder: Path) -> str:
    """The profile that instaloader named `folder` by, '' for a hashtag, feed or place."""
    return folder.name if HANDLE.fullmatch(folder.name) else ""


def _owner(node: dict[str, Any]) -> str:
    """The user name in an instaloader node: a post, a story or (without owner) a profile."""
    iphone = node.get("iphone_struct")
    users = (node.get("owner"), iphone.get("user") if isinstance(iphone, dict) else None, node)
    for user in users:
        if isinstance(user, dict) and isinstance(name := user.get("username"), str) and name:
            return printable(name)
    return ""


def _node_time(node: dict[str, Any]) -> str:
    iphone = node.get("iphone_struct")
    taken = iphone.get("taken_at") if isinstance(iphone, dict) else None
    return _iso(node.get("taken_at_timestamp") or node.get("date") or taken)


def _iso(timestamp: object) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, '' where that makes no sense."""
    if isinstance(timestamp, bool) or not isinstance(timestamp, int | float) or timestamp <= 0:
        return ""
    try:
        return datetime.fromtimestamp(timestamp, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


def _iso_of_name(text: str) -> str:
    try:
        return datetime.strptime(text, "%Y-%m-%d_%H-%M-%S").replace(tzinfo=UTC).isoformat()
    except ValueError:
        return ""


def _read_json(path: Path) -> Any:
    """The JSON in `path`, None where there is none: metadata is welcome, never necessary."""
    opener = lzma.open if path.name.endswith(".xz") else open
    try:
        with opener(path, "rb") as file:
            data = file.read(MAX_JSON_BYTES + 1)
        return json.loads(data) if len(data) <= MAX_JSON_BYTES else None
    except (OSError, ValueError, EOFError, RecursionError, lzma.LZMAError):
        return None
