"""Finding names in files that pack them: compressed ones, archives, arrays and Parquet."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from garments.scrub import Terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TROUBLE = (
    EOFError,
    ValueError,
    RuntimeError,  # of an encrypted archive
    lzma.LZMAError,
    zlib.error,
    zipfile.BadZipFile,
)

_ARRAY_BYTES = 2**28
"""Arrays of text beyond that are not unpacked."""


def within_packed(path: Path, terms: Terms) -> bool:
    """Whether any of `terms` stands in what a file packs away; its own bytes are not looked at.

    False for a file that packs nothing. `OSError` where it begins as such a file does and cannot
    be unpacked.
    """
    with path.open("rb") as file:
        head = file.read(8)
        file.seek(0)
        look = next((look for magic, look in _FORMATS.items() if head.startswith(magic)), None)
        if look is None:
            return False
        try:
            return look(file, terms)
        except _TROUBLE as error:
            raise OSError(f"it cannot be unpacked: {error}") from error


def _compressed(opener: Callable[[IO[bytes]], Any]) -> Callable[[IO[bytes], Terms], bool]:
    def look(file: IO[bytes], terms: Terms) -> bool:
        with opener(file) as unpacked:
            return terms.within_stream(unpacked)

    return look


def _archive(file: IO[bytes], terms: Terms) -> bool:
    """A zip, and so an .npz: names of its members and what is in them."""
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if terms.within(member.filename):
                return True
            with archive.open(member) as unpacked:
                if terms.within_stream(unpacked):
                    return True
            if member.filename.endswith(".npy") and member.file_size < _ARRAY_BYTES:
                with archive.open(member) as unpacked:
                    if _array(io.BytesIO(unpacked.read()), terms):
                        return True
    return False


def _array(file: IO[bytes], terms: Terms) -> bool:
    """Texts of an array, which have four bytes a character."""
    import numpy as np

    found: NDArray[Any] = np.load(file, allow_pickle=False)
    return found.dtype.kind == "U" and terms.within("\n".join(map(str, found.ravel())))


def _parquet(file: IO[bytes], terms: Terms) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as table:
            rows = (str(row) for batch in table.iter_batches(256) for row in batch.to_pylist())
            return any(terms.within(row) for row in rows)
    except pa.ArrowException as error:
        raise OSError(f"it cannot be unpacked: {error}") from error


_FORMATS: dict[bytes, Callable[[IO[bytes], Terms], bool]] = {
    b"\x1f\x8b": _compressed(lambda file: gzip.GzipFile(fileobj=file)),
    b"BZh": _compressed(bz2.BZ2File),
    b"\xfd7zXZ\0": _compressed(lzma.LZMAFile),
    b"PK\x03\x04": _archive,
    b"\x93NUMPY": _array,
    b"PAR1": _parquet,
}
"""By what files begin with."""
