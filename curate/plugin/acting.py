"""What all operators have in common: a place above the grid, a form, errors in plain words."""

from typing import Any, ClassVar

import fiftyone.operators as foo
import fiftyone.operators.types as types

from curate.fiftyone.bulk import Done
from curate.fiftyone.window import Window
from curate.plugin import context, forms, telling
from garments.errors import GarmentLoopError


class Act(foo.Operator):  # type: ignore[misc]
    """What all of ours have in common: a place in the grid, and errors in plain words."""

    name_: ClassVar[str]
    title: ClassVar[str]
    icon: ClassVar[str]
    about: ClassVar[str] = ""
    asks: ClassVar[bool] = False

    @property
    def config(self) -> Any:
        """How FiftyOne lists it."""
        return foo.OperatorConfig(
            name=self.name_,
            label=self.title,
            description=self.about,
            icon=self.icon,
            dynamic=self.asks,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_placement(self, ctx: Any) -> Any:
        """Among the actions above the grid, while that shows our crops."""
        if not context.is_ours(ctx):
            return None
        button = types.Button(label=self.title, icon=self.icon, prompt=self.asks)
        return types.Placement(types.Places.SAMPLES_GRID_SECONDARY_ACTIONS, button)

    def execute(self, ctx: Any) -> dict[str, str]:
        """Do it, and tell what became of it."""
        try:
            return {"told": self.act(ctx, context.window(ctx))}
        except GarmentLoopError as error:
            return {"told": f"**This could not be done.** {error}"}

    def resolve_output(self, ctx: Any) -> Any:
        """What is to be read; nothing where one line said all."""
        told = (ctx.results or {}).get("told")
        if not told:
            return None
        outputs = types.Object()
        outputs.str("told", view=types.MarkdownView())
        return types.Property(outputs, view=types.View(label=self.title))

    def act(self, ctx: Any, window: Window) -> str:
        """Do it; Markdown to be read, "" where there is nothing more to say."""
        raise NotImplementedError

    def tell(self, ctx: Any, what: str, done: Done) -> str:
        """One line at the foot of the App, the grid as it is now; what else is to be known."""
        changed = len(done.garments) > done.same
        ctx.ops.notify(telling.summary(what, done), variant="success" if changed else "info")
        still = ctx.view.select(context.chosen(ctx)).values("id")
        if ctx.selected and set(still) != set(ctx.selected):
            # what has left the view must not be acted on unseen
            ctx.ops.set_selected_samples(still)
        ctx.ops.reload_dataset()
        return telling.details(what, done)


class Asking(Act):
    """An operator with a form; FiftyOne takes any that has `resolve_input` for one."""

    asks = True
    button: ClassVar[str] = "Do it"

    def resolve_input(self, ctx: Any) -> Any:
        """The form, or why there is none."""
        inputs = types.Object()
        try:
            self.form(ctx, inputs, context.window(ctx))
        except GarmentLoopError as error:
            forms.problem(inputs, str(error))
        view = types.PromptView(label=self.title, submit_button_label=self.button)
        return types.Property(inputs, view=view)

    def form(self, ctx: Any, inputs: Any, window: Window) -> None:
        """Fill the form."""
