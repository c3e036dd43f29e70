"""The labelling form, generated from the taxonomy: pictures on the left, questions on the right."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from annotate.studio import answers, hotkeys
from annotate.studio.answers import FormAnswers, Result
from annotate.studio.controls import (
    BAD_CROP,
    CONFIDENCE,
    CROP,
    HELP,
    NOTE,
    OK,
    PHOTO,
    SAID,
    VERDICT,
    Choice,
    Control,
    controls,
)
from annotate.studio.style import region_class, style
from garments.answers import NOT_VISIBLE
from garments.calibration import Calibration
from garments.ids import content_id
from garments.reading import Reading
from garments.taxonomy import Taxonomy

LOW = 0.7
"""Confidence below which a field is marked, so that the eye goes there first."""

__all__ = ["LOW", "Form", "FormAnswers", "confidence_html", "form", "low_confidence"]


@dataclass(frozen=True)
class Form:
    """A form for one taxonomy: its XML for Label Studio, and what its results mean.

    `hash` tells forms apart that ask something else or look different, not by their help line. One
    that `adjudicates` also shows what people said, from a task's `answers`. What is `retired` was
    asked once and is no longer shown (see `annotate.studio.retired`).
    """

    taxonomy: Taxonomy
    guidelines_url: str | None = None
    one_key: bool = True
    adjudicates: bool = False
    retired: tuple[Control, ...] = ()

    @cached_property
    def controls(self) -> list[Control]:
        """The questions in order."""
        return controls(self.taxonomy)

    @cached_property
    def xml(self) -> str:
        """The labelling configuration."""
        help_html = _help(self.guidelines_url, self.one_key)
        return _xml(self.controls, help_html, self.adjudicates, self.retired)

    @cached_property
    def hash(self) -> str:
        """Hash of the XML without its help line and so without the guidelines' address."""
        return content_id(_xml(self.controls, "", self.adjudicates).encode())

    def prefill(self, readings: Mapping[str, Reading], low: Collection[str] = ()) -> Result:
        """Result of a prediction: what `readings` (by attribute) hold, but for abstentions.

        Fields in `low` are filled like others; `confidence_html` is what marks them.
        """
        return answers.prefill(self.controls, readings)

    def answers(
        self,
        result: Iterable[Mapping[str, Any]],
        taxonomy: Taxonomy | None = None,
        tolerant: bool = False,
    ) -> FormAnswers:
        """What a person answered, by the ids of `taxonomy` (left out: this form's own).

        `BadInput` names a choice that is not there, unless `tolerant`: then `unknown` has it.
        """
        asked = self.controls if taxonomy in (None, self.taxonomy) else controls(taxonomy)
        return answers.read(asked, result, tolerant)


def form(
    taxonomy: Taxonomy,
    guidelines_url: str | None = None,
    one_key: bool = True,
    retired: tuple[Control, ...] = (),
) -> Form:
    """The form for `taxonomy`; `one_key` tells whether Space accepts (on servers of ours)."""
    return Form(taxonomy, guidelines_url, one_key, retired=retired)


def low_confidence(readings: Mapping[str, Reading]) -> set[str]:
    """Attributes to look at first: where the tagger abstains or is not sure."""
    return {
        name for name, reading in readings.items() if reading.abstained or reading.confidence < LOW
    }


def confidence_html(
    readings: Mapping[str, Reading],
    calibrations: Mapping[tuple[str, str], Calibration] | None = None,
    taxonomy: Taxonomy | None = None,
    region: str = "unknown",
) -> str:
    """What a task's `confidence` holds: a bar an attribute, low ones marked; no bar where blind.

    `calibrations` are by (tagger, attribute): a confidence that was never fitted says so. The
    `taxonomy` hides attributes that are not asked about the garment's `region`.
    """
    low = low_confidence(readings)
    bars = "".join(
        f'<span class="gl-bar gl-bar-{name}{" gl-low gl-low-" + name if name in low else ""}"'
        f' title="{escape(_told(name, reading, calibrations))}">{_bar(reading)}</span>'
        for name, reading in readings.items()
    )
    asked = taxonomy.asked(region) if taxonomy else ()
    hidden = [a.id for a in taxonomy.attributes if a.id not in asked] if taxonomy else []
    kinds = " ".join([region_class(region), *(f"gl-without-{name}" for name in hidden)])
    return f'<div class="gl-bars {kinds}">{bars}</div>'


def _bar(reading: Reading) -> str:
    if reading.abstained:
        return '<b class="gl-open">?</b>'
    percent = round(100 * reading.confidence)
    return f'<i><em style="width:{percent}%"></em></i><b>{percent} %</b>'


def _told(
    name: str, reading: Reading, calibrations: Mapping[tuple[str, str], Calibration] | None
) -> str:
    if reading.abstained:
        return "The tagger does not know"
    known = (calibrations or {}).get((reading.tagger, name))
    ending = "" if known and known.items else ", not calibrated"
    return f"Confidence of the tagger{ending}"


def _xml(
    asked: Sequence[Control],
    help_html: str,
    adjudicates: bool = False,
    retired: Sequence[Control] = (),
) -> str:
    root = Element("View", className="gl-form")
    keys = hotkeys.keys_of(asked)
    SubElement(root, "Style").text = style(asked, keys, adjudicates) + _without_bars(retired)
    pictures = SubElement(root, "View", className="gl-pictures")
    _picture(pictures, CROP, "$image", "gl-crop")
    _picture(pictures, PHOTO, "$photo", "gl-photo")
    fields = SubElement(root, "View", className="gl-fields")
    SubElement(fields, "HyperText", name=CONFIDENCE, value="$confidence", inline="true")
    if adjudicates:
        SubElement(fields, "HyperText", name=SAID, value="$answers", inline="true")
    for control in asked:
        _question(fields, control, keys)
    _verdict(fields)
    _note(fields)
    if help_html:
        SubElement(
            fields, "HyperText", name=HELP, value=help_html, inline="true", clickableLinks="true"
        )
    if retired:
        hidden = SubElement(root, "View", className="gl-retired", style="display: none")
        for control in retired:
            _choices(hidden, control, {})
    indent(root)
    return tostring(root, encoding="unicode")


def _without_bars(retired: Sequence[Control]) -> str:
    """CSS against confidences of tasks that were answered when the question was still asked."""
    names = [found.id for control in retired for found in control.attributes]
    return "".join(f"\n.gl-bar-{name} {{ display: none; }}" for name in names)


def _picture(parent: Element, name: str, value: str, kind: str) -> None:
    frame = SubElement(parent, "View", className=kind)
    SubElement(
        frame,
        "Image",
        name=name,
        value=value,
        zoomControl="false",
        selectionControl="false",
        maxHeight="100%",
        horizontalAlignment="center",
        verticalAlignment="center",
    )


def _field(parent: Element, name: str, title: str) -> Element:
    field = SubElement(parent, "View", className=f"gl-field gl-field-{name}")
    SubElement(field, "Header", value=title, size="5")
    return field


def _question(parent: Element, control: Control, keys: Mapping[hotkeys.Answer, str]) -> None:
    _choices(_field(parent, control.name, control.title), control, keys)


def _choices(parent: Element, control: Control, keys: Mapping[hotkeys.Answer, str]) -> None:
    group = SubElement(
        parent,
        "Choices",
        name=control.name,
        toName=CROP,
        choice="multiple" if control.multiple else "single",
        layout="select" if control.menu else "inline",
    )
    for choice in control.choices:
        key = keys.get((control.name, choice.id))
        hint = choice.value.definition if choice.value else "It cannot be seen in the picture"
        _choice(group, choice.id, choice.text, key, hint, _swatch(choice))


def _verdict(parent: Element) -> None:
    group = SubElement(
        _field(parent, VERDICT, "Crop"),
        "Choices",
        name=VERDICT,
        toName=CROP,
        choice="single",
        layout="inline",
    )
    _choice(group, OK, "OK", None, "The crop shows one garment of this region")
    for (reason, text), key in zip(BAD_CROP.items(), hotkeys.BAD_CROP_KEYS, strict=True):
        _choice(group, reason, text, key, "Bad crop: no other field counts")


def _note(parent: Element) -> None:
    SubElement(
        _field(parent, NOTE, "Note"),
        "TextArea",
        name=NOTE,
        toName=CROP,
        placeholder="Anything worth telling, then Enter",
        editable="true",
        rows="1",
    )


def _choice(
    group: Element, name: str, text: str, key: str | None, hint: str, before: str = ""
) -> None:
    shown = f"<kbd>{escape(hotkeys.label(key))}</kbd>" if key else ""
    html = f'<span class="gl-text gl-is-{name.replace("/", "-")}">{before}{escape(text)}{shown}'
    extra = {"html": html + "</span>"} if group.get("layout") == "inline" else {}
    given = {"alias": name, "value": text, "hotkey": key or hotkeys.SILENT, **extra}
    SubElement(group, "Choice", given | ({"hint": hint} if hint else {}))


def _swatch(choice: Choice) -> str:
    """The typical colors of a value that has some."""
    anchors = choice.value.anchors if choice.value and choice.id != NOT_VISIBLE else ()
    if not anchors:
        return ""
    color = anchors[len(anchors) // 2]
    return f'<i class="gl-dot" style="background:{color}"></i>'


def _help(guidelines_url: str | None, one_key: bool) -> str:
    accept = "<kbd>Space</kbd>" if one_key else "<kbd>Ctrl</kbd> <kbd>Enter</kbd>"
    link = ""
    if guidelines_url:
        link = f'<a href="{escape(guidelines_url)}" target="_blank">Guidelines</a>'
    return (
        f'<p class="gl-help"><span>{accept} accept</span>'
        f"<span><kbd>Ctrl</kbd> <kbd>Space</kbd> skip</span>{link}</p>"
    )
