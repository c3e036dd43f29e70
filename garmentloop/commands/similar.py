"""`garmentloop similar`."""

from typing import Annotated

import typer

from garmentloop.console import err, out, table
from garmentloop.options import DatasetOption, DeviceOption


def similar(
    query: Annotated[
        str,
        typer.Argument(
            metavar="GARMENT_OR_IMAGE", help="A garment's id, or a picture file of one garment."
        ),
    ],
    dataset: DatasetOption,
    number: Annotated[
        int, typer.Option("--number", "-n", min=1, max=1000, metavar="N", help="How many.")
    ] = 20,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="REF", help="Whose embeddings are compared; left out: the data set's tagger's."
        ),
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Show the crops of a data set that look most like a garment or a picture.

    Compares the embeddings that `garmentloop prelabel` keeps, and writes a page
    of thumbnails below DIR/report/similar.

    Examples:

      garmentloop similar 3f6b1c0d9a7e5521 --dataset datasets/mine
      garmentloop similar coat.jpg -d datasets/mine -n 50
    """
    from annotate.similar import similar as search
    from annotate.similar_page import proposed_labels, write_similar
    from garments.atwork import at_work
    from garments.dataset import Dataset

    data = Dataset.open(dataset)
    with err.status("searching"), at_work(data):
        found = search(data, query, number, model=model, device=device)
        page = write_similar(data, found)
        labels = proposed_labels(data, [one.garment_id for one in found.neighbours])
    rows = [
        (one.garment_id, one.region, one.similarity, ", ".join(labels.get(one.garment_id, ())))
        for one in found.neighbours
    ]
    table(("garment", "region", "similarity", "proposed"), rows, title=f"like {found.title}")
    out.print(f"Open in a browser: {page}", markup=False)
