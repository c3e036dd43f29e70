"""Model references, the names under which every model of the project is asked for.

`starter`, `champion`, `model:NAME`, `hf:OWNER/NAME[@REVISION]`, `dir:PATH`, `openclip:MODEL`,
`timm:MODEL`, `rule:NAME`.
What a folder that `dir:` points at holds is in `garments.modelfolder`.
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from garments.errors import UnknownModel
from garments.modelfolder import weights_hash

__all__ = ["UNDERSTOOD", "Reference", "Source", "weights_hash"]


class Source(StrEnum):
    """Where a model comes from."""

    STARTER = "starter"
    CHAMPION = "champion"
    HUB = "hf"
    FOLDER = "dir"
    OPEN_CLIP = "openclip"
    RULE = "rule"
    TRAINED = "model"
    TIMM = "timm"


UNDERSTOOD = (
    "starter (ships with the project)",
    "champion (the promoted model of the data set)",
    "hf:OWNER/NAME (a checkpoint of the Hugging Face hub, such as hf:facebook/detr-resnet-50)",
    "dir:PATH (a model folder)",
    "openclip:MODEL (an OpenCLIP model, such as openclip:hf-hub:Marqo/marqo-fashionSigLIP)",
    "rule:color (no network: pixels under the mask, named)",
    "model:NAME (a tagger that `finetune tagger` made in the data set, such as model:v1)",
    "timm:MODEL (a backbone of timm to train a tagger on, such as timm:vgg19.tv_in1k)",
)
"""What a reference may be, for help texts and error messages."""

_BARE = (Source.STARTER, Source.CHAMPION)
_PREFIXED = tuple(source for source in Source if source not in _BARE)
_ALIASES = {
    "huggingface": "hf",
    "hub": "hf",
    "folder": "dir",
    "path": "dir",
    "open_clip": "openclip",
}
_HUB_NAME = re.compile(r"\w[\w.-]*(/[\w.-]+)?", re.ASCII)


@dataclass(frozen=True)
class Reference:
    """One model by name: where it comes from, and what it is called there.

    `name` is empty for `starter` and `champion`; `revision` (a branch, tag or commit) is only ever
    set for the hub.
    """

    source: Source
    name: str = ""
    revision: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """The reference that `text` spells; `UnknownModel` says what is understood."""
        text = text.strip()
        if text in _BARE:
            return cls(Source(text))
        prefix, colon, name = text.partition(":")
        if not colon or prefix not in _PREFIXED or not name.strip():
            raise UnknownModel(_not_understood(text))
        source, name = Source(prefix), name.strip()
        if source is not Source.HUB:
            return cls(source, name)
        name, _, revision = name.partition("@")
        if not _HUB_NAME.fullmatch(name):
            raise UnknownModel(
                f"expected hf:OWNER/NAME, optionally with @REVISION, but got {text!r}; "
                "for a folder on this machine write dir:PATH"
            )
        return cls(source, name, revision or None)

    @property
    def folder(self) -> Path:
        """The folder that a `dir:` reference names; `UnknownModel` when it is not there."""
        path = Path(self.name).expanduser()
        if self.source is not Source.FOLDER:
            raise UnknownModel(f"expected a dir: reference, but got {self}")
        if not path.is_dir():
            raise UnknownModel(
                f"no model folder at {str(path)!r} (from {self}); "
                f"give the folder that holds config.json{_near(path)}"
            )
        return path

    def __str__(self) -> str:
        if self.source in _BARE:
            return str(self.source)
        revision = f"@{self.revision}" if self.revision else ""
        return f"{self.source}:{self.name}{revision}"


def _not_understood(text: str) -> str:
    guess = _guess(text)
    hint = f" Did you mean {guess!r}?" if guess else ""
    known = "\n".join(f"  {line}" for line in UNDERSTOOD)
    return f"unknown model reference {text!r}.{hint} Understood are:\n{known}"


def _guess(text: str) -> str | None:
    """What the writer of `text` probably meant, None without a good guess."""
    if not text:
        return None
    prefix, colon, name = text.partition(":")
    if colon:
        close = _ALIASES.get(prefix.lower()) or _closest(prefix.lower(), _PREFIXED)
        return f"{close}:{name}" if close and name else None
    if Path(text).expanduser().is_dir():
        return f"dir:{text}"
    if close := _closest(text.lower(), _BARE):
        return close
    return f"hf:{text}" if re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", text, re.ASCII) else None


def _closest(word: str, choices: Sequence[str]) -> str | None:
    return next(
        iter(difflib.get_close_matches(word, [str(choice) for choice in choices], n=1)), None
    )


def _near(path: Path) -> str:
    """Folders beside `path` that have a similar name, as the end of a message."""
    if not path.parent.is_dir():
        return ""
    folders = [entry.name for entry in path.parent.iterdir() if entry.is_dir()]
    close = difflib.get_close_matches(path.name, folders, n=1)
    return f" (did you mean dir:{path.parent / close[0]}?)" if close else ""
