"""`garmentloop annotate pull`."""

from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.commands.annotate.options import UrlOption
from garmentloop.console import awaited, err, out
from garmentloop.options import DatasetOption

if TYPE_CHECKING:
    from garments.dataset import Dataset


def pull(
    dataset: DatasetOption,
    watching: Annotated[
        bool, typer.Option("--watch", help="Go on pulling as people answer, until Ctrl-C.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Read every task again, not only those that changed.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what is new; write nothing.")
    ] = False,
    url: UrlOption = None,
) -> None:
    """Bring what people answered into the catalogue, each answer once.

    Answers that were changed or deleted in Label Studio replace or withdraw
    what they said before; drafts and proposals never count. It may be stopped
    or killed at any time. What was answered by the form of before a migration
    (garmentloop taxonomy migrate) is brought to the words of now. What was
    answered under any other taxonomy is kept where its values still exist, and
    else set aside with the reason in DIR/run/labelstudio/set-aside.jsonl;
    --all takes it in after the taxonomy is mended.

    Examples:

      garmentloop annotate pull --dataset datasets/mine
      garmentloop annotate pull -d datasets/mine --watch
      garmentloop annotate pull -d datasets/mine --all --dry-run
    """
    from annotate.studio.client import connect
    from annotate.studio.pull import pull as read
    from garmentloop.progress import follow_pulling
    from garments.dataset import Dataset
    from garments.errors import BadSetting

    data = Dataset.open(dataset)
    if watching and (everything or dry_run):
        raise BadSetting("expected --watch alone, but got --all or --dry-run too; leave one out")
    if watching:
        _watch(data, url)
        return
    with err.status("asking Label Studio"):
        studio = connect(data, url)
    events = awaited(
        read(data, studio, everything=everything, dry_run=dry_run), "reading what changed"
    )
    if end := follow_pulling(events, err):
        out.print(("would bring " if dry_run else "") + str(end), markup=False)
        _tell_aside(data, end.set_aside)


def _watch(data: "Dataset", url: str | None) -> None:
    """Print a line whenever something is new, until the first Ctrl-C; a second one kills."""
    import signal
    import time

    from annotate.studio.client import connect
    from annotate.studio.watch import Watch

    watch = Watch(data, lambda: connect(data, url), tell=lambda text: err.print(text, markup=False))

    def stop(number: int, frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        watch.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    total, aside, since = 0, 0, time.monotonic()
    err.print("Watching; Ctrl-C ends it.")
    for news in watch.run():
        total, aside = total + news.annotations, aside + news.set_aside
        if news.changes:
            minutes = (time.monotonic() - since) / 60
            rate = f"{total / minutes:.1f} a minute"
            out.print(f"{time.strftime('%H:%M:%S')} {news} ({total} in all, {rate})", markup=False)
    _tell_aside(data, aside)


def _tell_aside(data: "Dataset", count: int) -> None:
    if count:
        from annotate.studio.aside import aside_path

        err.print(f"set aside: {count}, with reasons in {aside_path(data)}", markup=False)
