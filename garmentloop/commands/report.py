"""`garmentloop report`."""

from garmentloop.console import out
from garmentloop.options import DatasetOption


def report(dataset: DatasetOption) -> None:
    """Build the contact sheet again: HTML pages that open without a network.

    It shows each photo with accepted and rejected people and why, their masks
    and their crops.

    Example:

      garmentloop report --dataset datasets/mine
    """
    from extract.report import write_report
    from garments.dataset import Dataset

    page = write_report(Dataset.open(dataset))
    out.print(f"Contact sheet: {page}", markup=False)
