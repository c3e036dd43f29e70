"""The vocabularies of public sets themselves, as taxonomies that any tagger can be asked.

So that a tagger can be scored on a set's own words (`articleType`, `baseColour`, ...) without
anything lost in mapping. A word that stands for a value of the default taxonomy is also prompted
for by that value's title, unless another word of the column has a better claim to it.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache

from garments.mappings import Entry, LabelMapping, mapping
from garments.taxonomy import Attribute, Taxonomy
from garments.taxonomy_check import check
from garments.words import normalised

NATIVE_COLUMNS: dict[str, dict[str, str]] = {
    "fashion_products": {
        "gender": "gender",
        "masterCategory": "category",
        "subCategory": "category",
        "articleType": "category",
        "baseColour": "color",
        "usage": "style",
    },
    "clothing": {"category": "category"},
}
"""By set: its label columns, each with the attribute of the default taxonomy that it is about."""

NOT_GIVEN = ("", "na", "nan")
"""Words that say that a label is missing, as `normalised` writes them."""

_READABLE = {
    "Tshirts": "T-shirts",
    "Lounge Tshirts": "Lounge T-shirts",
    "longsleeve": "Long sleeve",
    "outwear": "Outerwear",
}


def native_attribute(name: str, column: str) -> str:
    """Id under which a tagger is asked for a set's column: `fashion_products_article_type`."""
    return f"{name}_{re.sub('(?<!^)(?=[A-Z])', '_', column).lower()}"


def native_value(word: str) -> str:
    """Value id of a set's word: "Grey Melange" -> "grey-melange"."""
    return normalised(word).replace(" ", "-")


@lru_cache(maxsize=8)
def native_taxonomy(name: str) -> Taxonomy:
    """The columns of the set `name` as attributes, every word of their mappings as a value.

    Words are in their mapping's order, so the vocabulary does not hang on which rows are read.
    Templates are those of the attribute of the default taxonomy that a column is about.
    """
    columns = NATIVE_COLUMNS[name]
    attributes = tuple(_attribute(name, column, about) for column, about in columns.items())
    check(attributes, f"the columns of {name}")
    return Taxonomy(attributes=attributes)


def column_mapping(name: str, column: str) -> LabelMapping:
    """The mapping of a set's column."""
    return mapping(name if name == "clothing" else f"{name}.{column}")


def _attribute(name: str, column: str, about: str) -> Attribute:
    labels = column_mapping(name, column)
    words = [word for word in labels.labels if normalised(word) not in NOT_GIVEN]
    synonyms = _synonyms(words, labels)
    values = [
        {
            "id": native_value(word),
            "title": _READABLE.get(word, word),
            "synonyms": synonyms[word],
        }
        for word in words
    ]
    return Attribute.model_validate(
        {
            "id": native_attribute(name, column),
            "title": column,
            "templates": Taxonomy.default().attribute(about).templates,
            "values": values,
        }
    )


def _synonyms(words: list[str], labels: LabelMapping) -> dict[str, tuple[str, ...]]:
    """By word: titles of the default taxonomy that it has the best claim to, and alone.

    The best claim is to be that title, the next to be mapped to it, the last to cover it.
    """
    claims: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for word in words:
        for title in {word, _READABLE.get(word, word)}:
            claims[normalised(title)][0].append(word)
        for rank, title in _claims(labels.known(word)):
            claims[normalised(title)][rank].append(word)
    won: dict[str, list[str]] = {word: [] for word in words}
    for title, by_rank in claims.items():
        rank = min(by_rank)
        if rank > 0 and len(by_rank[rank]) == 1:
            won[by_rank[rank][0]].append(title)
    return {word: tuple(titles) for word, titles in won.items()}


def _claims(entry: Entry) -> Iterator[tuple[int, str]]:
    """Titles of the values that a word is mapped to (1), and of those that it covers (2).

    A word for a sub-category claims its category too, so that no other word has it alone.
    """
    taxonomy = Taxonomy.default()
    for attribute, value in entry.values.items():
        yield 1, taxonomy.attribute(attribute).value(value).title
    for attribute, values in entry.covers.items():
        for value in values:
            yield 2, taxonomy.attribute(attribute).value(value).title
