"""Tables of the catalogue: their columns, their ids, and which of them may be corrected.

Boxes are xyxy in pixels of the upright photo. Every table also has `created_at` (UTC, when the
thing was made, by default when its row was written) and `seq` (the order of things, given by the
one writer that holds the lock). New columns may be added at the end; existing tables get them
filled with nulls when they are next opened for writing.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from garments.errors import CatalogError

if TYPE_CHECKING:
    import pyarrow as pa

PRIMARY_KEY = {"lance-schema:unenforced-primary-key": "true"}
"""Field metadata without which two writers would duplicate rows."""


@dataclass(frozen=True)
class Column:
    """One column: its name, its type (see `_arrow_type`) and what it holds."""

    name: str
    type: str
    doc: str


@dataclass(frozen=True)
class TableSpec:
    """One table. `replaceable` rows describe what a model sees now and may be put again."""

    name: str
    doc: str
    columns: tuple[Column, ...]
    replaceable: bool = False

    @property
    def id(self) -> str:
        """Name of the id column, the primary key."""
        return self.columns[0].name

    @property
    def names(self) -> list[str]:
        """Names of all columns, in order."""
        return [column.name for column in self.columns]

    def arrow(self) -> "pa.Schema":
        """The Arrow schema, with the id as a non-null Lance primary key."""
        import pyarrow as pa

        fields = [pa.field(c.name, _arrow_type(c.type)) for c in self.columns]
        fields[0] = fields[0].with_nullable(False).with_metadata(PRIMARY_KEY)
        return pa.schema(fields)


def _arrow_type(name: str) -> "pa.DataType":
    """`vector[N]` has exactly N numbers, which is what vector search needs."""
    import pyarrow as pa

    if sized := re.fullmatch(r"vector\[(\d+)\]", name):
        return pa.list_(pa.float32(), int(sized[1]))
    return {
        "text": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "float32": pa.float32(),
        "bool": pa.bool_(),
        "bytes": pa.binary(),
        # +00:00 is UTC, but needs no time zone database, which small systems lack
        "time": pa.timestamp("us", tz="+00:00"),
        "texts": pa.list_(pa.string()),
        "vector": pa.list_(pa.float32()),
    }[name]


_BOX = """
x1 float left
y1 float top
x2 float right, exclusive
y2 float bottom, exclusive
"""


def _table(name: str, doc: str, columns: str, replaceable: bool = False) -> TableSpec:
    """A table from lines of `name type meaning`, with `created_at` and `seq` added."""
    columns += "\ncreated_at time when the thing was made, UTC\nseq int the order of things\n"
    parts = [line.split(None, 2) for line in columns.splitlines() if line.strip()]
    return TableSpec(name, doc, tuple(Column(*part) for part in parts), replaceable)


_SPECS = (
    _table(
        "photos",
        "One row per picture by content.",
        """
        photo_id text hash of the file's bytes
        width int upright pixels, 0 where unknown
        height int upright pixels, 0 where unknown
        state text ok or unreadable
        reason text why it is unreadable
        phash text perceptual hash, 16 hex digits
        """,
        replaceable=True,
    ),
    _table(
        "sources",
        "Where a photo came from; one photo may have many.",
        """
        source_id text hash of origin and photo
        origin text path or URL as given
        photo_id text null where no bytes were had
        handle text whose photo it is, groups photos for the split
        licence text as stated by the source
        consent text as stated by the source
        taken_at text as stated by the source
        state text ok or unreadable
        reason text why it is unreadable
        split text as stated by the source
        """,
    ),
    _table(
        "extractions",
        "What was extracted from which photo, written last; and garments retired or revived.",
        """
        extraction_id text hash of kind, photo, garment, configuration and the run before
        photo_id text the photo
        config_hash text hash of detector, parser and settings
        kind text run, retire or revive
        garment_id text for retire and revive
        people int how many the run found
        garments int how many the run found
        """,
    ),
    _table(
        "people",
        "One detection in one photo; nobody is recognised.",
        f"""
        person_id text hash of photo and box at first sight
        photo_id text the photo
        {_BOX}
        score float detector's score in [0, 1]
        verdict text accepted, or why not
        reason text the verdict in words
        config_hash text of the extraction that saw it last
        """,
        replaceable=True,
    ),
    _table(
        "garments",
        "One garment crop.",
        f"""
        garment_id text hash of photo, person, region and box at first sight
        photo_id text the photo
        person_id text null for a product shot
        region text upper, lower, whole, feet, accessories or unknown
        {_BOX}
        area int mask pixels
        crop_sha text names the crop file by its content
        confidence float parser's mean probability under the mask
        flags texts doubts
        mask bytes run lengths, column by column, uint32
        mask_height int pixels of the upright photo
        mask_width int pixels of the upright photo
        config_hash text of the extraction that cut it last
        """,
        replaceable=True,
    ),
    _table(
        "proposals",
        "What a tagger said: the whole raw logits, so that calibration can change later.",
        """
        proposal_id text hash of garment, crop, attribute and tagger
        garment_id text the garment
        crop_sha text the picture it was made on
        attribute text name in the taxonomy
        tagger text hash of all that makes the tagger's version
        model text model reference
        weights_hash text of the weights
        vocabulary_hash text of the attribute's values, whose order the logits follow
        prompt_version text hash of the prompts, empty for a trained tagger
        crop_preparation text how the crop was prepared
        activation text softmax or sigmoid
        logits vector raw, in the order of the taxonomy's values
        """,
    ),
    _table(
        "calibrations",
        "What turns a tagger's logits into confidence, and from where on it is believed.",
        """
        calibration_id text hash of what was fitted, to what, after what
        tagger text version of the tagger, as in proposals
        attribute text name in the taxonomy
        temperature float logits are divided by it
        bias float added to logits before, where several values may hold
        threshold float confidence below which the tagger abstains
        items int how many labels it was fitted on
        source text model (came with it) or labels (fitted on people's words)
        details text figures as JSON
        """,
    ),
    _table(
        "tasks",
        "What was shown to an annotator.",
        """
        task_id text the task's key
        garment_id text the garment
        crop_sha text the picture that was shown
        vocabulary_hash text of the values on offer
        form_hash text of the labelling form
        shown text values, confidences and proposal ids as JSON
        round text the round it belongs to
        audit bool whether it belongs to the audit slice
        state text created, done, skipped or deleted
        overlap int how many people answer it, null for as many as its project has
        again text migration because of which it is asked again, null for the first time
        """,
        replaceable=True,
    ),
    _table(
        "checks",
        "What was shown to check answers: gold garments, and what people disagree about.",
        """
        task_id text the task's key
        garment_id text the garment
        name text what the task calls the garment in Label Studio
        crop_sha text the picture that was shown
        purpose text gold or adjudication
        vocabulary_hash text of the values on offer
        form_hash text of the labelling form
        shown text what the form held, or what was asked and who had said what, as JSON
        round text the round it was mixed into, null for adjudication
        state text created, done, skipped, deleted or withdrawn
        """,
        replaceable=True,
    ),
    _table(
        "labels",
        "A person's word about one attribute of one garment. Nothing is ever changed.",
        """
        label_id text hash of project, annotation, its time and attribute
        garment_id text the garment
        crop_sha text the picture that was labelled
        attribute text name in the taxonomy
        value text a JSON list of values, or not_visible
        kind text adjudicated, curator, annotator, import, simulated or gold
        annotator text who
        seconds float how long it took
        task_id text the task that was answered
        proposal_id text the proposal that was shown, null on the blind slice
        vocabulary_hash text of the values on offer
        withdraws text label_id that this row takes back
        annotation_id text task/annotation in Label Studio, null where it came from elsewhere
        migrated_from text label_id that a migration says anew or takes back in this row
        migration text id of that migration, null for what was said by somebody
        """,
    ),
    _table(
        "decisions",
        "A curator's decision about a garment.",
        """
        decision_id text hash of what was decided, by whom and when
        garment_id text the garment
        kind text bad_crop, excluded, gold, note, or gold_bad_crop (of a check, decides nothing)
        note text in words
        who text who
        withdraws text decision_id that this row takes back
        task_id text the task that was answered, null where there was none
        annotation_id text task/annotation in Label Studio, null where it came from elsewhere
        """,
    ),
    _table(
        "splits",
        "Which split a garment was given, by which version of the split.",
        """
        split_id text hash of version and garment
        version text name of the split
        garment_id text the garment
        split text train, val, test or quarantine
        group text what must stay together
        """,
    ),
    _table(
        "promotions",
        "Which model was put in force, and on what evidence.",
        """
        promotion_id text hash of what was promoted and when
        kind text detector, parser or tagger
        attribute text null for all
        model text model reference, empty where an earlier promotion was taken back
        tagger text version of the tagger, as in proposals
        evidence text figures as JSON
        who text who
        """,
    ),
    _table(
        "rounds",
        "One turn of the loop: what was chosen, by what, from what.",
        """
        round_id text name of the round
        kind text how garments were chosen
        details text settings and inputs as JSON
        """,
    ),
)

TABLES: dict[str, TableSpec] = {spec.name: spec for spec in _SPECS}
"""Every table by name, but those of embeddings: there is one for each length of vectors."""

_EMBEDDINGS = re.compile(r"embeddings_([1-9]\d{0,5})")


@cache
def embeddings_spec(size: int) -> TableSpec:
    """The table of embeddings of `size` numbers, `embeddings_<size>`."""
    return _table(
        f"embeddings_{size}",
        "One vector per garment crop and model.",
        f"""
        embedding_id text hash of garment, crop and model
        garment_id text the garment
        crop_sha text the picture it was made on
        model text reference, weights hash and crop preparation
        vector vector[{size}] unit length
        """,
    )


def is_table(name: str) -> bool:
    """Whether there is, or can be, a table of that name."""
    return name in TABLES or _EMBEDDINGS.fullmatch(name) is not None


def spec_of(table: str) -> TableSpec:
    """The table of that name, or `CatalogError` naming those that exist."""
    if table in TABLES:
        return TABLES[table]
    if sized := _EMBEDDINGS.fullmatch(table):
        return embeddings_spec(int(sized[1]))
    names = ", ".join([*TABLES, "embeddings_<size>"])
    raise CatalogError(f"expected a table of {names}, but got {table!r}")
