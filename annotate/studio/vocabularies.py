"""Which taxonomy a task's form was made from: taxonomies that were in force are kept by hash."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from annotate.studio.controls import Control, controls
from annotate.studio.tasks import vocabulary_hash
from garments.dataset import Dataset
from garments.errors import BadTaxonomy
from garments.migration.history import History
from garments.migration.record import FOLDER, taxonomy_path
from garments.taxonomy import Attribute, Taxonomy
from garments.whole import in_place_of


def keep_taxonomy(dataset: Dataset) -> None:
    """Keep the taxonomy in force as taxonomies/<hash>.toml, where it is not there already."""
    path = taxonomy_path(dataset.folder, dataset.taxonomy.hash)
    if path.exists():
        return
    with in_place_of(path) as temporary:
        dataset.taxonomy.save(temporary)


@dataclass(frozen=True)
class Vocabulary:
    """What the form of a task asked, and the hash of the values on offer by attribute."""

    asked: tuple[Control, ...]
    hashes: Mapping[str, str]

    @classmethod
    def of(cls, taxonomy: Taxonomy) -> "Vocabulary":
        """What the form for a taxonomy asks."""
        names = [attribute.id for attribute in taxonomy.attributes]
        hashes = {name: taxonomy.vocabulary_hash(name) for name in names}
        return cls(tuple(controls(taxonomy)), hashes)

    @cached_property
    def attributes(self) -> dict[str, Attribute]:
        """What is asked, by its id."""
        return {found.id: found for control in self.asked for found in control.attributes}

    @cached_property
    def by_name(self) -> dict[str, Control]:
        """Questions by their names in a form."""
        return {control.name: control for control in self.asked}

    def offers(self, name: str, choices: Iterable[str]) -> bool:
        """Whether its form has all these choices in the control of that name."""
        control = self.by_name.get(name)
        return control is not None and all(choice in control.by_id for choice in choices)


class Vocabularies:
    """What forms asked, by the hash that their tasks carry; and what was migrated since."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset, self.now = dataset, dataset.taxonomy
        self._found: dict[str, Vocabulary] = {}
        self.history = History.of(dataset.folder)

    @cached_property
    def migrated(self) -> tuple[Vocabulary, ...]:
        """The vocabularies by which an answer may be read besides its task's, the newest first.

        None without a migration. Since an id has one meaning in all of them, it does not matter
        which of those that have it is taken.
        """
        if not self.history:
            return ()
        return tuple(Vocabulary.of(taxonomy) for taxonomy in (self.now, *self.history.earlier))

    def __getitem__(self, task_hash: str) -> Vocabulary:
        """By the taxonomy of that hash; by the one in force, without hashes, where none is kept."""
        if task_hash not in self._found:
            known = self._known.get(task_hash)
            found = Vocabulary.of(known or self.now)
            self._found[task_hash] = found if known else Vocabulary(found.asked, {})
        return self._found[task_hash]

    @cached_property
    def _known(self) -> dict[str, Taxonomy]:
        found = {}
        for path in sorted((self._dataset.folder / FOLDER).glob("*.toml")):
            try:
                taxonomy = Taxonomy.load(path)
            except BadTaxonomy:
                continue  # then its answers are read by the taxonomy in force
            found[vocabulary_hash(taxonomy)] = taxonomy
        return {**found, vocabulary_hash(self.now): self.now}
