"""The catalogue: every table of a data set, as Lance tables in one folder.

Each id is declared as Lance primary key and rows are inserted only when their id is new, so a
step that is run twice, or killed and run again, changes nothing the second time.
"""

from garments.catalog.catalog import Catalog
from garments.catalog.convert import one_of
from garments.catalog.schema import TABLES

__all__ = ["TABLES", "Catalog", "one_of"]
