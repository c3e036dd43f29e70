"""`garmentloop annotate guidelines | report`: the pages."""

from typing import Annotated

import typer

from garmentloop.console import err, out
from garmentloop.options import DatasetOption


def guidelines(
    dataset: DatasetOption,
    examples: Annotated[
        int, typer.Option(min=0, max=12, metavar="N", help="Example crops a value, at most.")
    ] = 3,
) -> None:
    """Write the annotators' page: what each value means, with example crops.

    It is made from the data set's taxonomy: definitions, keys of the form, and
    which values are easily taken for each other. Examples are crops that people
    labelled, else crops that the tagger is sure of. The form of the next
    `annotate push` links to it; the page is one file, to be sent as it is.

    Examples:

      garmentloop annotate guidelines --dataset datasets/mine
      garmentloop annotate guidelines -d datasets/mine --examples 6
    """
    from annotate.guidelines import write_guidelines
    from garments.atwork import at_work
    from garments.dataset import Dataset

    data = Dataset.open(dataset)
    with err.status("choosing examples"), at_work(data):
        page = write_guidelines(data, examples)
    out.print(
        f"{page.values} values, {page.shown} with examples "
        f"({page.checked} of them labelled by people)",
        markup=False,
    )
    out.print(f"Page: {page.path}", markup=False)


def report(dataset: DatasetOption) -> None:
    """Show what became of proposals, how well people answer, and what is saved.

    For each attribute and tagger version, how often annotators accepted,
    changed, emptied or filled in what was proposed; on the blind garments, how
    often they would have; and seconds per garment with and without a pre-fill.
    Of a team: agreement per attribute with its intervals and who says what
    where they differ, annotators against gold, what adjudication changed. A
    page with plots and its figures as JSON go into the reports. It counts what
    was pulled: run `annotate pull` before.

    Examples:

      garmentloop annotate report --dataset datasets/mine
    """
    from annotate.studio.ledger import ledger
    from annotate.studio.report import write_report
    from annotate.studio.team import team
    from garmentloop.ledger_table import print_ledger
    from garments.dataset import Dataset

    data = Dataset.open(dataset)
    with err.status("comparing answers with proposals"):
        found, people = ledger(data), team(data)
        page = write_report(data, found, people)
    print_ledger(found, people)
    out.print(f"Page: {page}", markup=False)
