"""One thin module a command (or group of commands): each prints what a plain function returns."""

import typer

from garmentloop.commands import (
    annotate,
    calibrate,
    compare,
    curate,
    demo,
    doctor,
    evaluate,
    export,
    extract,
    finetune,
    framing,
    import_,
    init,
    loop,
    models,
    prelabel,
    promote,
    report,
    similar,
    simulate,
    status,
    street,
    tag,
    takedown,
    taxonomy,
    version,
)


def register(app: typer.Typer) -> None:
    """Add every command to `app`, in the order in which `--help` lists them."""
    app.command()(demo.demo)
    app.command()(init.init)
    app.command()(extract.extract)
    app.command("import")(import_.import_set)
    app.command()(prelabel.prelabel)
    app.command()(calibrate.calibrate)
    app.add_typer(annotate.app, name="annotate")
    app.add_typer(curate.app, name="curate")
    app.command()(similar.similar)
    app.command()(tag.tag)
    app.command()(loop.loop)
    app.command()(simulate.simulate)
    app.command()(compare.compare)
    app.command()(status.status)
    app.command()(report.report)
    app.command()(export.export)
    app.add_typer(evaluate.app, name="evaluate")
    app.add_typer(framing.app, name="framing")
    app.add_typer(taxonomy.app, name="taxonomy")
    app.add_typer(finetune.app, name="finetune")
    app.add_typer(models.app, name="models")
    app.command()(promote.promote)
    app.command()(takedown.takedown)
    app.command()(street.street)
    app.command()(doctor.doctor)
    app.command()(version.version)
