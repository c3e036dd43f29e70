"""Maps between taxonomies: what they say, what becomes of answers, every way to get them wrong."""

import pytest

from garments.answers import NOT_VISIBLE
from garments.errors import BadTaxonomy
from garments.migration.check import checked
from garments.migration.labels import Migration, as_said, carried, followed, last_words
from garments.migration.mapfile import MigrationMap, parse_map, read_map
from garments.migration.moves import Fate, Moves
from garments.migration.record import Record
from garments.taxonomy import Taxonomy

COLORS = "red blue pink navy olive"
KINDS = "shirt skirt jacket"
SUBS = "polo:shirt mini:skirt biker:jacket parka:jacket"


def attribute(name: str, values: str, multiple: bool = False, parent: str = "") -> str:
    """An attribute as TOML; `value:parent` stands under a value of `parent`."""
    lines = []
    for word in values.split():
        value, _, above = word.partition(":")
        under = f', parent = "{above}"' if above else ""
        lines.append(f'  {{ id = "{value}", title = "{value.title()}"{under} }},')
    more = f'parent = "{parent}"\n' if parent else ""
    return (
        f'[[attributes]]\nid = "{name}"\ntitle = "{name.title()}"\n'
        f'multiple = {str(multiple).lower()}\n{more}templates = ["a {{}}"]\n'
        "values = [\n" + "\n".join(lines) + "\n]\n"
    )


def taxonomy(
    colors: str = COLORS, kinds: str = KINDS, subs: str = SUBS, several: bool = True, more: str = ""
) -> Taxonomy:
    parts = [attribute("kind", kinds), attribute("sub", subs, parent="kind") if subs else ""]
    parts += [attribute("color", colors, several) if colors else "", more]
    return Taxonomy.parse("\n".join(parts))


def problems(new: Taxonomy, map_: str, old: Taxonomy | None = None) -> str:
    with pytest.raises(BadTaxonomy) as caught:
        checked(old or taxonomy(), new, parse_map(map_))
    assert "nothing was changed" in str(caught.value)
    return str(caught.value)


NEW = taxonomy("crimson scarlet blue teal", "shirt skirt coat", "polo:shirt mini:skirt parka:coat")
MAP = """
[color]
split = { red = ["crimson", "scarlet"] }
merge = { blue = ["navy", "blue"] }
rename = { olive = "teal" }
remove = ["pink"]

[kind]
rename = { jacket = "coat" }

[sub]
remove = ["biker"]
"""


@pytest.fixture(scope="module")
def moves() -> Moves:
    return checked(taxonomy(), NEW, parse_map(MAP))


@pytest.mark.parametrize(
    ("name", "answer", "fate", "after"),
    [
        ("color", {"blue"}, Fate.KEPT, {"blue"}),
        ("color", {"navy"}, Fate.MERGED, {"blue"}),
        ("color", {"navy", "blue"}, Fate.MERGED, {"blue"}),
        ("color", {"olive"}, Fate.RENAMED, {"teal"}),
        ("color", {"olive", "blue"}, Fate.RENAMED, {"teal", "blue"}),
        ("color", {"olive", "navy"}, Fate.MERGED, {"teal", "blue"}),
        ("color", {"red"}, Fate.AGAIN, set()),
        ("color", {"red", "blue"}, Fate.AGAIN, set()),
        ("color", {"red", "pink"}, Fate.AGAIN, set()),
        ("color", {"pink"}, Fate.REMOVED, set()),
        ("color", {"pink", "navy"}, Fate.REDUCED, {"blue"}),
        ("color", {NOT_VISIBLE}, Fate.KEPT, {NOT_VISIBLE}),
        ("color", set(), Fate.KEPT, set()),
        ("color", {"mauve"}, Fate.OUTDATED, {"mauve"}),
        ("sleeve", {"long"}, Fate.OUTDATED, {"long"}),
        ("kind", {"jacket"}, Fate.RENAMED, {"coat"}),
        ("sub", {"parka"}, Fate.KEPT, {"parka"}),
        ("sub", {"biker"}, Fate.REMOVED, set()),
    ],
)
def test_what_becomes_of_an_answer(moves, name, answer, fate, after):
    became = moves.become(name, frozenset(answer))
    assert (became.fate, became.attribute, became.answer) == (fate, name, frozenset(after))


def test_values_that_nothing_became_are_new(moves):
    assert moves.added == {}
    more = taxonomy(COLORS + " gold")
    assert checked(taxonomy(), more, MigrationMap()).added == {"color": ("gold",)}


def test_an_attribute_that_is_renamed_or_removed():
    new = taxonomy("", more=attribute("tint", "scarlet blue pink navy olive", True), subs="")
    said = '[attributes]\nrename = { color = "tint" }\nremove = ["sub"]\n'
    moves = checked(taxonomy(), new, parse_map(said + '[color]\nrename = { red = "scarlet" }'))
    assert moves.become("color", frozenset(["red"])).answer == {"scarlet"}
    kept = moves.become("color", frozenset(["blue"]))
    assert (kept.fate, kept.attribute) == (Fate.RENAMED, "tint")
    unseen = moves.become("color", frozenset([NOT_VISIBLE]))
    assert (unseen.fate, unseen.answer) == (Fate.RENAMED, {NOT_VISIBLE})
    assert moves.become("sub", frozenset(["polo"])).fate is Fate.REMOVED


def test_several_values_where_one_may_hold_now_are_asked_again():
    moves = checked(taxonomy(), taxonomy(several=False), MigrationMap())
    assert moves.become("color", frozenset(["red", "blue"])).fate is Fate.AGAIN
    assert moves.become("color", frozenset(["red"])).fate is Fate.KEPT


def test_a_map_without_need_is_empty(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text("")
    assert read_map(path) == MigrationMap()


def test_everything_wrong_with_a_map_is_told_at_once():
    told = problems(
        taxonomy("red blue pink", "shirt skirt jacket"),
        """
        [color]
        rename = { pnik = "rose", navy = "bleu" }
        remove = ["navy"]
        [sleeve]
        remove = ["long"]
        """,
    )
    assert "there are 6 problems" in told
    assert "[color] rename: the old taxonomy has no 'pnik'; did you mean 'pink'?" in told
    assert "[color] rename: the new taxonomy has no 'bleu'; did you mean 'blue'?" in told
    assert "the new taxonomy has no 'rose'; there are red, blue, pink" in told
    assert "[color] navy is mapped twice (rename, remove)" in told
    assert "[sleeve]: the old taxonomy has no such attribute" in told
    assert "[color] olive: the new taxonomy has no such value" in told


def test_an_old_value_that_is_neither_there_nor_mapped():
    told = problems(taxonomy("red blue pink navy olives"), "")
    assert "[color] olive: the new taxonomy has no such value" in told
    assert 'say rename = { olive = "olives" }, or remove = ["olive"]' in told
    assert "attributes" not in told.partition("problem")[2]


def test_a_cycle_of_renames():
    told = problems(taxonomy(), '[color]\nrename = { red = "blue", blue = "pink", pink = "red" }')
    assert "red -> blue -> pink -> red is a cycle" in told and "one problem" in told


def test_an_id_keeps_its_meaning():
    told = problems(taxonomy(COLORS + " crimson"), '[color]\nsplit = { red = ["red", "crimson"] }')
    assert "split: red would become something else, but the new taxonomy still has it" in told
    chain = problems(taxonomy("blue pink navy olive"), '[color]\nrename = { red = "blue" }')
    assert 'say merge = { blue = ["red"] }' in chain
    both = '[color]\nrename = { red = "teal", blue = "teal" }'
    assert "merge = { teal" in problems(taxonomy("teal pink navy olive"), both)


def test_an_id_of_an_earlier_taxonomy_does_not_come_back_as_something_else():
    second = taxonomy("crimson scarlet blue pink navy olive")
    said = parse_map('[color]\nsplit = { red = ["crimson", "scarlet"] }')
    first = checked(taxonomy(), second, said)
    third = taxonomy("red crimson scarlet blue pink navy olive")
    with pytest.raises(BadTaxonomy, match="red was something else in an earlier taxonomy"):
        checked(second, third, MigrationMap(), [[first]])
    there = checked(taxonomy(), taxonomy("rouge blue pink navy olive"), _renames("red", "rouge"))
    back = checked(there.new, taxonomy(), _renames("rouge", "red"), [[there]])
    assert back.become("color", frozenset(["rouge"])).answer == {"red"}


def _renames(old: str, new: str) -> MigrationMap:
    return parse_map(f'[color]\nrename = {{ {old} = "{new}" }}')


def test_a_value_that_moves_to_another_parent():
    moved = taxonomy(subs="polo:shirt mini:skirt biker:jacket parka:shirt")
    told = problems(moved, "")
    assert "parka stood under jacket, which is jacket now, but parka stands under shirt" in told
    new = taxonomy(subs="polo:shirt mini:skirt biker:jacket overshirt:shirt")
    moves = checked(taxonomy(), new, parse_map('[sub]\nsplit = { parka = ["overshirt"] }'))
    assert moves.become("sub", frozenset(["parka"])).fate is Fate.AGAIN
    gone = problems(taxonomy(kinds="shirt skirt", subs="polo:shirt mini:skirt"), "")
    assert all(f"{name}: the new taxonomy has no" in gone for name in ("jacket", "biker", "parka"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[color", "expected TOML in "),
        ('[color]\nsplt = { red = ["a"] }', "color.splt: expected one of rename, merge, split"),
        ('[color]\nrename = ["red"]', 'color.rename: expected { old = "new" }'),
        ('[color]\nrename = { red = ["a"] }', 'color.rename.red: expected { old = "new" }'),
        ('[color]\nsplit = { red = "a" }', 'color.split.red: expected { old = ["new", "new"] }'),
        ("[color]\nremove = [1]", 'color.remove.0: expected ["old", "old"]'),
        ('color = "red"', "color: expected a table [color]"),
        ("[attributes]\nmerge = {}", "attributes.merge: expected one of rename, remove"),
        ('[color]\nrename = { a = "b", a = "c" }', "expected TOML"),
    ],
)
def test_wrong_syntax(text, told, tmp_path):
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(BadTaxonomy) as caught:
        read_map(path)
    assert told in str(caught.value)


def test_a_map_that_is_not_there(tmp_path):
    with pytest.raises(BadTaxonomy, match="taxonomy migrate --help"):
        read_map(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("new", "map_", "told"),
    [
        (taxonomy(subs=""), "", "sub: the new taxonomy has no such attribute"),
        (taxonomy(), '[attributes]\nremove = ["sub"]', "still has it"),
        (taxonomy(), '[attributes]\nrename = { sbu = "x" }', "did you mean 'sub'"),
        (taxonomy(subs=""), '[attributes]\nrename = { sub = "kidn" }', "did you mean 'kind'"),
        (taxonomy(subs=""), '[attributes]\nrename = { sub = "kind" }', "another attribute before"),
        (
            taxonomy(subs=""),
            '[attributes]\nremove = ["sub"]\n[sub]\nremove = ["polo"]',
            "so its values need no map",
        ),
        (taxonomy(), "[color]\nmerge = { red = [] }", "names no value"),
    ],
)
def test_wrong_about_attributes(new, map_, told):
    assert told in problems(new, map_)


# --- rows of labels


def row(name="l1", value='["navy"]', seq=1, **more) -> dict:
    found = {"label_id": name, "garment_id": "g", "crop_sha": "c", "attribute": "color"}
    found |= {"value": value, "kind": "annotator", "annotator": "ann", "seq": seq}
    found |= {"withdraws": None, "migrated_from": None, "migration": None}
    return found | {"task_id": "t", "annotation_id": "1/2"} | more


@pytest.fixture
def migration(moves) -> Migration:
    return Migration(Record(1, moves.old.hash, moves.new.hash, moves.map.model_dump()), moves)


def test_a_migrated_label_names_the_one_that_it_says_anew(migration):
    [made] = carried(row(), [migration])
    assert (made["value"], made["migrated_from"], made["migration"]) == (
        '["blue"]',
        "l1",
        migration.id,
    )
    assert made["vocabulary_hash"] == NEW.vocabulary_hash("color")
    assert made["label_id"] == carried(row(seq=9), [migration])[0]["label_id"] != "l1"
    assert carried(row(value='["blue"]'), [migration]) == []


@pytest.mark.parametrize("value", ['["red"]', '["pink"]'])
def test_what_no_longer_holds_is_taken_back(migration, value):
    [made] = carried(row(value=value), [migration])
    assert (made["withdraws"], made["migration"]) == ("l1", migration.id)
    assert "value" not in made


def test_whoever_takes_back_a_label_takes_back_what_became_of_it(migration):
    source = row()
    [made] = carried(source, [migration])
    stored = {**row(), **made, "withdraws": None, "seq": 2}
    back = {"label_id": "w", "withdraws": "l1"}
    [followed_] = followed([back], [source, stored])
    assert followed_["withdraws"] == made["label_id"]
    again = {**row(), **followed_, "seq": 3}
    assert followed([back], [source, stored, again]) == []
    assert as_said([source, stored, again]) == [source]


def test_last_words_are_counted_once():
    rows = [row("a", seq=1), row("b", seq=2), row("c", seq=3, annotator="bob")]
    rows += [row("d", seq=4, garment_id="h"), row("w", seq=5, garment_id="h", withdraws="d")]
    words = last_words(rows)
    assert [one["label_id"] for one in words.live] == ["b", "c"]
    assert (words.superseded, words.withdrawn) == (1, 1)
