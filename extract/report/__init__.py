"""The contact sheet: every photo with its people, why they were turned down, masks and crops."""

from extract.report.write import write_report

__all__ = ["write_report"]
