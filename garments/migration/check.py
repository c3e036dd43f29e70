"""Holds a map against the two taxonomies that it joins; every fault is told at once."""

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from garments.errors import BadTaxonomy
from garments.migration.mapfile import MigrationMap, ValueMap, listed
from garments.migration.moves import Fate, Moves
from garments.taxonomy import Attribute, Taxonomy


def checked(
    old: Taxonomy, new: Taxonomy, said: MigrationMap, before: Sequence[Sequence[Moves]] = ()
) -> Moves:
    """The step from `old` to `new`, or `BadTaxonomy` with everything that is wrong with the map.

    `before` has for each earlier taxonomy the steps that led from it to `old`, in order: an id of
    any of them may not come back with another meaning.
    """
    moves = Moves(old, new, said)
    problems = [*_of_attributes(moves)]
    for attribute in old.attributes:
        target = moves.attribute(attribute.id)
        found = _attribute(new, target)
        if found and target:
            problems += _of_values(attribute, found, said.of(attribute.id))
    if not problems:
        problems += _of_parents(moves)
        for steps in before:
            problems += _reused([*steps, moves])
    if problems:
        raise BadTaxonomy(
            listed("expected a map from the old taxonomy to the new", list(dict.fromkeys(problems)))
        )
    return moves


def suggestion(word: str, known: Iterable[str]) -> str:
    """`, did you mean 'x'?` where a known word is like it, else what there is."""
    names = list(known)
    close = difflib.get_close_matches(word, names, 1)
    if close:
        return f"; did you mean {close[0]!r}?"
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"; there are {shown or 'none'}"


def _attribute(taxonomy: Taxonomy, name: str | None) -> Attribute | None:
    return next((found for found in taxonomy.attributes if found.id == name), None)


def _of_attributes(moves: Moves) -> Iterator[str]:
    """What is wrong with attributes as a whole."""
    old, new = (tuple(a.id for a in taxonomy.attributes) for taxonomy in (moves.old, moves.new))
    whole = moves.map.attributes
    for name in [*whole.rename, *whole.remove]:
        if name not in old:
            yield f"attributes: the old taxonomy has no {name!r}{suggestion(name, old)}"
        elif name in new:
            yield f"attributes: {name} is renamed or removed, but the new taxonomy still has it"
    for name in set(whole.rename) & set(whole.remove):
        yield f"attributes: {name} is renamed and removed; say one of them"
    for name, target in whole.rename.items():
        if target not in new:
            yield f"attributes: {name} is renamed to {target!r}, which the new taxonomy has not" + (
                suggestion(target, new)
            )
        elif target in old:
            yield f"attributes: {name} is renamed to {target}, which was another attribute before"
    for target, count in Counter(whole.rename.values()).items():
        if count > 1:
            yield f"attributes: {count} are renamed to {target}; attributes cannot be merged"
    for name in moves.map.values:
        if name not in old:
            yield f"[{name}]: the old taxonomy has no such attribute{suggestion(name, old)}"
        elif name in whole.remove:
            yield f"[{name}]: the attribute is removed, so its values need no map; drop that table"
    for name in old:
        if name not in new and name not in whole.rename and name not in whole.remove:
            yield (
                f"{name}: the new taxonomy has no such attribute and the map does not say what "
                f'becomes of it; under [attributes] say rename = {{ {name} = "..." }} or '
                f'remove = ["{name}"]'
            )


def _of_values(old: Attribute, new: Attribute, said: ValueMap) -> Iterator[str]:
    """What is wrong with the map of one attribute."""
    where, named = f"[{old.id}]", said.named()
    words: dict[str, list[str]] = {}
    for value, word in named:
        words.setdefault(value, []).append(word)
        if value not in old.ids:
            yield f"{where} {word}: the old taxonomy has no {value!r}{suggestion(value, old.ids)}"
    for value, under in words.items():
        if len(under) > 1:
            yield f"{where} {value} is mapped twice ({', '.join(under)}); say one of them"
    cycles = list(_cycles(said.rename))
    for cycle in cycles:
        yield (
            f"{where} rename: {' -> '.join([*cycle, cycle[0]])} is a cycle, and an id keeps its "
            "meaning; give what is new an id of its own"
        )
    yield from _of_targets(where, old, new, said, {value for cycle in cycles for value in cycle})
    for value in old.ids:
        if value not in new.ids and value not in words:
            close = difflib.get_close_matches(value, [v for v in new.ids if v not in old.ids], 1)
            advice = f'rename = {{ {value} = "{close[0]}" }}' if close else "rename, merge or split"
            yield (
                f"{where} {value}: the new taxonomy has no such value and the map does not say "
                f'what becomes of it; say {advice}, or remove = ["{value}"]'
            )


def _of_targets(
    where: str, old: Attribute, new: Attribute, said: ValueMap, circling: Collection[str]
) -> Iterator[str]:
    """What is wrong with the new values that a map names."""
    targets = [(new_, "rename") for new_ in said.rename.values()]
    targets += [(new_, "merge") for new_ in said.merge]
    targets += [(new_, "split") for news in said.split.values() for new_ in news]
    for value, word in dict.fromkeys(targets):
        if value not in new.ids:
            yield f"{where} {word}: the new taxonomy has no {value!r}{suggestion(value, new.ids)}"
    into_itself = {(name, old_) for name, olds in said.merge.items() for old_ in olds}
    for value, word in said.named():
        if value in new.ids and value not in circling and (value, value) not in into_itself:
            yield (
                f"{where} {word}: {value} would become something else, but the new taxonomy still "
                "has it, and an id keeps its meaning; give what is new an id of its own"
            )
    moved = {value for value, _ in said.named()}
    renamed = Counter(said.rename.values())
    for value, count in renamed.items():
        others = count > 1 or value in said.merge or (value in old.ids and value not in moved)
        if others:
            sources = [name for name, target in said.rename.items() if target == value]
            olds = dict.fromkeys([*said.merge.get(value, ()), *sources])
            quoted = ", ".join(f'"{name}"' for name in olds)
            yield (
                f"{where} rename: {value} is more than one old value; say "
                f"merge = {{ {value} = [{quoted}] }}"
            )
    for word, table in (("merge", said.merge), ("split", said.split)):
        for name, values in table.items():
            if not values:
                yield f"{where} {word}: {name} names no value; name one or more, or drop it"


def _cycles(rename: dict[str, str]) -> Iterator[list[str]]:
    """Cycles among renames, each once, beginning with its first value in the map."""
    seen: set[str] = set()
    for start in rename:
        path, value = list[str](), start
        while value in rename and value not in seen:
            seen.add(value)
            path.append(value)
            value = rename[value]
        if value in path:
            yield path[path.index(value) :]


def _of_parents(moves: Moves) -> Iterator[str]:
    """Values that would stand under another parent than their garments have by then."""
    for attribute in moves.old.attributes:
        target, parent = moves.attribute(attribute.id), attribute.parent
        if target is None or parent is None:
            continue
        found = moves.new.attribute(target)
        if found.parent is None or found.parent != moves.attribute(parent):
            continue
        for value in attribute.values:
            image = moves.image(attribute.id, value.id)
            if image.fate in (Fate.AGAIN, Fate.REMOVED) or value.parent is None:
                continue
            [now] = image.values
            above, allowed = found.value(now).parent, moves.image(parent, value.parent).values
            if above not in allowed:
                yield (
                    f"[{attribute.id}] {value.id} stood under {value.parent}, which is "
                    f"{' or '.join(allowed) or 'gone'} now, but {now} stands under {above}: its "
                    f'garments would contradict themselves; say split = {{ {value.id} = ["..."] }} '
                    "with another id, so that people are asked again, or remove it"
                )


def _reused(steps: Sequence[Moves]) -> Iterator[str]:
    """Ids of an earlier taxonomy that would come back with another meaning."""
    first, last = steps[0].old, steps[-1].new
    for attribute in first.attributes:
        found = _attribute(last, attribute.id)
        for value in attribute.ids:
            if found and value in found.ids and not _same(steps, attribute.id, value):
                yield (
                    f"[{attribute.id}] {value} was something else in an earlier taxonomy of this "
                    "data set, and an id keeps its meaning; give the new value another id"
                )


def _same(steps: Sequence[Moves], attribute: str, value: str) -> bool:
    """Whether these steps lead from a value to itself."""
    name, values = attribute, {value}
    for step in steps:
        images = [step.image(name, one) for one in values]
        target = step.attribute(name)
        if any(image.fate is Fate.OUTDATED for image in images):
            return True  # somebody edited the taxonomy by hand in between: nothing is known of it
        if target is None or any(image.fate in (Fate.AGAIN, Fate.REMOVED) for image in images):
            return False
        name, values = target, {one for image in images for one in image.values}
    return (name, values) == (attribute, {value})
