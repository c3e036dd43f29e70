"""Which taxonomy a task's form was made from: taxonomies that were in force are kept by hash."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from annotate.studio.controls import Control, controls
from annotate.studio.tasks import vocabulary_hash
from garments.dataset import Dataset
from garments.errors import BadTaxonomy
from garments.taxonomy import Taxonomy
from garments.whole import in_place_of

FOLDER = "taxonomies"


def keep_taxonomy(dataset: Dataset) -> None:
    """Keep the taxonomy in force as taxonomies/<hash>.toml, where it is not there already."""
    folder = dataset.folder / FOLDER
    path = folder / f"{dataset.taxonomy.hash}.toml"
    if path.exists():
        return
    with in_place_of(path) as temporary:
        dataset.taxonomy.save(temporary)


@dataclass(frozen=True)
class Vocabulary:
    """What the form of a task asked, and the hash of the values on offer by attribute."""

    asked: tuple[Control, ...]
    hashes: Mapping[str, str]


class Vocabularies:
    """What forms asked, by the hash that their tasks carry."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset, self.now = dataset, dataset.taxonomy
        self._found: dict[str, Vocabulary] = {}

    def __getitem__(self, task_hash: str) -> Vocabulary:
        """By the taxonomy of that hash; by the one in force, without hashes, where none is kept."""
        if task_hash not in self._found:
            known = self._known.get(task_hash)
            taxonomy = known or self.now
            names = [attribute.id for attribute in taxonomy.attributes] if known else []
            hashes = {name: taxonomy.vocabulary_hash(name) for name in names}
            self._found[task_hash] = Vocabulary(tuple(controls(taxonomy)), hashes)
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
