"""The page of the ledger: how good proposals are, what they save, and how far they lead."""

from annotate.studio.report.page import write_report

__all__ = ["write_report"]
