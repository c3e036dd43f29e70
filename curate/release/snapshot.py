"""The catalogue as it was at one moment: tagged versions, which stay readable for ever."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NoReturn

from garments.catalog import Catalog
from garments.catalog.lock import exclusive
from garments.dataset import Dataset
from garments.errors import CatalogError

if TYPE_CHECKING:
    import lance

_PREFIX = "release-"


def tag_of(name: str) -> str:
    """Tag that every table gets for a release of that name."""
    return _PREFIX + name


class FrozenCatalog(Catalog):
    """A catalogue at fixed versions of its tables. Tables without a version are empty."""

    def __init__(self, catalog: Catalog, versions: Mapping[str, int]) -> None:
        super().__init__(catalog.folder, catalog.place)
        self.versions = dict(versions)

    def add(self, table: str, rows: object) -> NoReturn:
        """Refuse: what was frozen is not written to."""
        raise CatalogError(f"expected to read {table} as it was, but got rows to add; open it anew")

    put = add

    def _open(self, table: str) -> "lance.LanceDataset | None":
        import lance

        version = self.versions.get(table)
        return None if version is None else lance.dataset(self._uri(table), version=version)


def freeze(dataset: Dataset, tag: str) -> Dataset:
    """The data set as it is now, whatever others write meanwhile; its tables get the tag.

    Writers wait for a moment, so that all tables are of the same moment.
    """
    catalog, versions = dataset.catalog, {}
    try:
        with exclusive(catalog.folder / ".lock"):
            for table in _written(catalog):
                versions[table] = _tagged(catalog, table, tag)
    except (OSError, ValueError) as error:
        raise CatalogError(
            f"expected to tag the tables in {catalog.folder}, but {error}; mend what it says and "
            "run the same command again"
        ) from error
    frozen = Dataset(dataset.folder, dataset.settings)
    frozen.catalog = FrozenCatalog(catalog, versions)
    return frozen


def unfreeze(dataset: Dataset, tag: str) -> None:
    """Take the tag off every table again, so that old versions can go."""
    for table in tagged_versions(dataset, tag):
        _table(dataset.catalog, table).tags.delete(tag)


def forget_others(dataset: Dataset, names: Iterable[str]) -> None:
    """Take off tags of releases that are not there: never finished, or deleted since."""
    kept = {tag_of(name) for name in names}
    for table in _written(dataset.catalog):
        found = _table(dataset.catalog, table)
        for tag in found.tags.list():
            if tag.startswith(_PREFIX) and tag not in kept:
                found.tags.delete(tag)


def tagged_versions(dataset: Dataset, tag: str) -> dict[str, int]:
    """Version by table of those that have the tag."""
    tags = {name: _table(dataset.catalog, name).tags.list() for name in _written(dataset.catalog)}
    return {name: int(found[tag]["version"]) for name, found in tags.items() if tag in found}


def _written(catalog: Catalog) -> list[str]:
    """Tables that were ever written."""
    return [name for name in catalog.tables() if catalog.newest(name) is not None]


def _table(catalog: Catalog, table: str) -> "lance.LanceDataset":
    found = catalog.newest(table)
    assert found is not None
    return found


def _tagged(catalog: Catalog, table: str, tag: str) -> int:
    """Tag the newest version of a table; its number."""
    found = _table(catalog, table)
    if tag in found.tags.list():  # of a release that was killed
        found.tags.update(tag, found.version)
    else:
        found.tags.create(tag, found.version)
    return int(found.version)
