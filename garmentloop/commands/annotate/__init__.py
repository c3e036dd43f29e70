"""`garmentloop annotate ...`: labels are corrected in Label Studio."""

import typer

from garmentloop.commands.annotate import adjudicate, pages, pull, push, server

app = typer.Typer(
    no_args_is_help=True,
    help="""Correct proposed labels in Label Studio, in a browser.

    Without --url, commands speak to the server that `up` started for the data
    set. With --url or LABEL_STUDIO_URL they speak to one that is there already,
    with the token in LABEL_STUDIO_API_KEY (legacy or personal access token).

    Examples:

      garmentloop annotate up -d datasets/mine      start Label Studio
      garmentloop annotate push -d datasets/mine    send garments there
      garmentloop annotate open -d datasets/mine    go to the form
      garmentloop annotate pull -d datasets/mine --watch   fetch answers
      garmentloop annotate down -d datasets/mine    stop Label Studio
    """,
)

app.command()(server.up)
app.command("open")(server.open_page)
app.command()(pages.guidelines)
app.command()(push.push)
app.command()(pull.pull)
app.command()(adjudicate.adjudicate)
app.command()(pages.report)
app.command()(server.down)
