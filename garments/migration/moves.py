"""What becomes of answers when one taxonomy follows another by a map that was checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from garments.answers import NOT_VISIBLE, Answer
from garments.migration.mapfile import MigrationMap
from garments.taxonomy import Attribute, Taxonomy


class Fate(StrEnum):
    """What becomes of a label, or of a value.

    `reduced` goes on without a value that was removed. `again`: its value was split, so people are
    asked again. `overruled` was outvoted by one of these two, and does not come into force now that
    they fall. `outdated` had values before that even the old taxonomy does not know.
    """

    KEPT = "kept"
    RENAMED = "renamed"
    MERGED = "merged"
    REDUCED = "reduced"
    AGAIN = "again"
    REMOVED = "removed"
    OVERRULED = "overruled"
    OUTDATED = "outdated"


@dataclass(frozen=True)
class Image:
    """What becomes of one value: its fate, and the new values that it may be."""

    fate: Fate
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Became:
    """What becomes of an answer: its fate, and what it is now where it still holds."""

    fate: Fate
    attribute: str
    answer: Answer

    @property
    def holds(self) -> bool:
        """Whether it still holds, in whatever words."""
        return self.fate not in (Fate.AGAIN, Fate.REMOVED, Fate.OVERRULED)


@dataclass(frozen=True)
class Moves:
    """The step from taxonomy `old` to `new` by `map`."""

    old: Taxonomy
    new: Taxonomy
    map: MigrationMap

    def attribute(self, name: str) -> str | None:
        """What an old attribute is called now, None where it was removed."""
        if name in self.map.attributes.remove:
            return None
        return self.map.attributes.rename.get(name, name)

    def image(self, attribute: str, value: str) -> Image:
        """What becomes of a value of an old attribute."""
        return self._images.get(attribute, {}).get(value, Image(Fate.OUTDATED))

    def become(self, attribute: str, answer: Answer) -> Became:
        """What becomes of an answer that was given about an old attribute.

        One with a value that was split is asked again as a whole: the others of its values alone
        would say that it has no further one. So is one with several values where one may hold now.
        """
        target = self.attribute(attribute)
        if target is None:
            return Became(Fate.REMOVED, attribute, frozenset())
        images = [self.image(attribute, value) for value in answer - {NOT_VISIBLE}]
        fates = {image.fate for image in images}
        if attribute not in self._images or Fate.OUTDATED in fates:
            return Became(Fate.OUTDATED, attribute, answer)
        kept = frozenset(v for i in images if i.fate is not Fate.AGAIN for v in i.values)
        kept |= answer & {NOT_VISIBLE}
        fate = _fate(fates, answer, kept, attribute != target)
        if len(kept) > 1 and self.narrowed(attribute):
            fate = Fate.AGAIN
        found = Became(fate, target, kept)
        return found if found.holds else Became(fate, target, frozenset())

    def narrowed(self, attribute: str) -> bool:
        """Whether several values could hold before, and one can now."""
        target = self.attribute(attribute)
        before = self._old.get(attribute)
        return bool(
            target and before and before.multiple and not self.new.attribute(target).multiple
        )

    @property
    def added(self) -> dict[str, tuple[str, ...]]:
        """Values by attribute that the new taxonomy has and nothing became."""
        become = {
            (self.attribute(name), value)
            for name, images in self._images.items()
            for image in images.values()
            for value in image.values
        }
        found = {
            a.id: tuple(v for v in a.ids if (a.id, v) not in become) for a in self.new.attributes
        }
        return {name: values for name, values in found.items() if values}

    @cached_property
    def _old(self) -> dict[str, Attribute]:
        return {attribute.id: attribute for attribute in self.old.attributes}

    @cached_property
    def _images(self) -> dict[str, Mapping[str, Image]]:
        return {name: self._images_of(found) for name, found in self._old.items()}

    def _images_of(self, attribute: Attribute) -> dict[str, Image]:
        if self.attribute(attribute.id) is None:
            return dict.fromkeys(attribute.ids, Image(Fate.REMOVED))
        said = self.map.of(attribute.id)
        found = {value: Image(Fate.KEPT, (value,)) for value in attribute.ids}
        found |= {old: Image(Fate.RENAMED, (new,)) for old, new in said.rename.items()}
        found |= {old: Image(Fate.AGAIN, tuple(news)) for old, news in said.split.items()}
        found |= {old: Image(Fate.REMOVED) for old in said.remove}
        for new, olds in said.merge.items():
            for old in olds:
                found[old] = Image(Fate.KEPT if old == new else Fate.MERGED, (new,))
        return found


def _fate(fates: set[Fate], answer: Answer, kept: Answer, renamed: bool) -> Fate:
    """The fate of an answer whose values have these, all of them known."""
    if Fate.AGAIN in fates:
        return Fate.AGAIN
    if Fate.REMOVED in fates:
        return Fate.REDUCED if kept else Fate.REMOVED
    if kept == answer and not renamed:
        return Fate.KEPT
    return Fate.MERGED if Fate.MERGED in fates else Fate.RENAMED
