"""What a curator finds in the row of buttons above the grid, and behind the backtick key."""

import shlex
from typing import Any, ClassVar

from annotate.studio.state import running
from curate.curator import send_file
from curate.fiftyone.bulk import decide, set_answer, take_back
from curate.fiftyone.fields import label_of
from curate.fiftyone.history import history
from curate.fiftyone.selected import selected
from curate.fiftyone.window import Window
from curate.plugin import context, forms, pushing, telling
from curate.plugin.acting import Act, Asking
from curate.state import Decision
from garments.errors import BadInput

MOST = 10_000
"""Crops that are selected at once, at most."""

REASONS = ["no garment", "bad crop", "too dark or blurred", "not to be used", "a copy"]
"""Why crops are excluded, to choose from."""


class SetValue(Asking):
    """An answer for all selected crops."""

    name_, title, icon = "set_value", "Set a value for selected crops", "sell"
    about = "say what holds for all selected crops; they become your labels at once"
    button = "Set it"

    def form(self, ctx: Any, inputs: Any, window: Window) -> None:
        """Attribute, value and name."""
        picked = forms.selection(ctx, inputs)
        asked = forms.attribute(ctx, inputs, window)
        forms.value(inputs, window, asked, picked)
        forms.name(inputs)

    def act(self, ctx: Any, window: Window) -> str:
        """Append the labels."""
        picked = context.expect_chosen(ctx)
        asked = str(ctx.params.get("attribute") or "")
        answer = forms.answer(ctx, asked)
        context.memory.attribute = asked
        who = context.who(ctx)
        if answer is None:
            return self.tell(ctx, f"{asked} taken back", take_back(window, picked, asked, who))
        done = set_answer(window, picked, asked, answer, who)
        return self.tell(ctx, f"{asked} is {label_of(sorted(answer))}", done)


class _Deciding(Asking):
    """A decision about all selected crops, or back again where all of them have it."""

    kind: ClassVar[Decision]
    yes: ClassVar[str]
    no: ClassVar[str]

    def form(self, ctx: Any, inputs: Any, window: Window) -> None:
        """Which way, why, and name."""
        rows = selected(window, forms.selection(ctx, inputs)).rows.values()
        all_so = bool(rows) and all(self.kind in row.decisions for row in rows)
        ways = {"yes": self.yes, "no": self.no}
        wanted = str(ctx.params.get("way") or ("no" if all_so else "yes"))
        if any(self.kind in row.decisions for row in rows):
            forms.radio(inputs, "way", "What", ways, wanted)
        self.more(inputs, window, wanted == "yes")
        forms.name(inputs)

    def more(self, inputs: Any, window: Window, yes: bool) -> None:
        """What else is asked."""

    def act(self, ctx: Any, window: Window) -> str:
        """Append the decisions."""
        back = ctx.params.get("way") == "no"
        note = str(ctx.params.get("reason") or "").strip() or None
        picked, who = context.expect_chosen(ctx), context.who(ctx)
        done = decide(window, picked, self.kind, who, note=note, take_back=back)
        return self.tell(ctx, self.no if back else self.yes, done)


class Exclude(_Deciding):
    """Out of splits, training and releases."""

    name_, title, icon = "exclude", "Exclude selected crops", "block"
    about = "they go into no split and no release; the reason is kept"
    kind, yes, no = Decision.EXCLUDED, "Excluded", "No longer excluded"

    def more(self, inputs: Any, window: Window, yes: bool) -> None:
        """Why."""
        if yes:
            forms.reason(inputs, REASONS)


class Gold(_Deciding):
    """Garments whose labels a curator vouches for."""

    name_, title, icon = "gold", "Mark selected crops as gold", "grade"
    about = "you vouch for their labels: annotators are checked against them"
    kind, yes, no = Decision.GOLD, "Gold", "No longer gold"


class Send(_Deciding):
    """Garments that people should look at next."""

    name_, title, icon = "send", "Send selected crops to annotators", "send"
    about = "they are put on the list for Label Studio"
    kind, yes, no = Decision.SEND, "To be annotated", "No longer to be annotated"

    def more(self, inputs: Any, window: Window, yes: bool) -> None:
        """Whether at once."""
        studio = running(window.dataset)
        if yes and studio:
            inputs.bool("push", label=f"Push them to {studio.url} at once", default=True)

    def act(self, ctx: Any, window: Window) -> str:
        """Put them on the list, then push them or say how."""
        told = super().act(ctx, window)
        if ctx.params.get("way") == "no":
            return told
        if ctx.params.get("push"):
            return f"{told}\n\n{pushing.push_list(window.dataset)}".strip()
        command = ["garmentloop", "annotate", "push", "-d", str(window.dataset.folder)]
        command += ["--select", str(send_file(window.dataset))]
        return f"{told}\n\nThey are on the list. What pushes it:\n\n`{shlex.join(command)}`".strip()


class Explain(Act):
    """Why a garment has the labels that it has."""

    name_, title, icon = "explain", "Explain this crop's labels", "history"
    about = "who said and proposed what, when, and what holds now and why"

    def act(self, ctx: Any, window: Window) -> str:
        """The history of the crop that is looked at, or of the first that is selected."""
        picked = [ctx.current_sample] if ctx.current_sample else context.expect_chosen(ctx)
        found = selected_garment(window, picked[0])
        told = telling.explained(history(window.dataset, found))
        more = f"{len(picked):,} are selected; this is the first of them.\n\n"
        return (more if len(picked) > 1 else "") + told


class SamePerson(Act):
    """What else the same people wear."""

    name_, title, icon = "same_person", "Show all garments of this person", "checkroom"
    about = "a view of everything that the people of the selected crops wear"

    def act(self, ctx: Any, window: Window) -> str:
        """Show them side by side; a product shot has no person, but a photo."""
        field, shown = window.fo.ViewField, ctx.dataset
        crops = shown.select(context.expect_chosen(ctx))
        people = [one for one in crops.distinct("person_id") if one]
        photos = crops.match(field("person_id") == None).distinct("photo_id")  # noqa: E711
        mine = field("person_id").is_in(people) | (
            (field("person_id") == None) & field("photo_id").is_in(photos)  # noqa: E711
        )
        view = shown.match(mine).sort_by([("person_id", 1), ("region", 1), ("garment_id", 1)])
        ctx.ops.clear_selected_samples()
        ctx.ops.set_view(view)
        return ""


class SelectAll(Act):
    """Every crop of the view, so that single ones may be taken out again."""

    name_, title, icon = "select_all", "Select all crops of this view", "select_all"
    about = f"at most {MOST:,}; filter first, then take single ones out by a click"

    def act(self, ctx: Any, window: Window) -> str:
        """Select them."""
        ids = ctx.view.limit(MOST + 1).values("id")
        if len(ids) > MOST:
            raise BadInput(f"This view has more than {MOST:,} crops; filter it first.")
        ctx.ops.set_selected_samples(ids)
        return ""


def selected_garment(window: Window, sample_id: str) -> str:
    """The garment of one sample, also where it is retired; `BadInput` where there is none."""
    from bson import ObjectId

    where = {"_id": ObjectId(sample_id)}
    found = window.garments._sample_collection.find_one(where, {"garment_id": True})
    if not found or not found.get("garment_id"):
        raise BadInput("This crop is no longer in FiftyOne: reload the page.")
    return str(found["garment_id"])


OPERATORS = (SelectAll, SetValue, Exclude, Send, Gold, Explain, SamePerson)
"""In the order in which they stand in the grid."""
