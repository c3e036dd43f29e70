"""Every error that garmentloop raises on purpose.

GarmentLoopError
├── BadInput            what the user gave cannot be used
│   ├── BadImage        bytes that are no picture, or one too large or damaged to decode
│   ├── BadSource       a path, manifest row or URL that cannot be read
│   │   └── UnsafeURL   an address that must not be fetched (private, loopback, not http)
│   ├── BadTable        a CSV or JSONL file without the columns that are needed
│   └── BadTaxonomy     a taxonomy or mapping that contradicts itself
├── BadSetting          a configuration value or command-line option that makes no sense
├── DatasetError        a data set folder that is missing, foreign or of another version
│   └── CatalogError    a table that cannot be read or written
├── ModelError          a model reference that cannot be resolved or used
│   ├── UnknownModel    the reference names nothing that exists
│   └── UnfitModel      the checkpoint loads but cannot do the job (no person class)
├── ClusterError        a Ray cluster that cannot be started or reached
└── StudioError         Label Studio cannot be started, reached or used
    ├── StudioDown      no answer from that address, or nothing but failures
    ├── StudioDenied    the token is wrong, expired or may not do this
    ├── StudioRefused   the server understood the request and will not do it
    ├── StudioBusy      another process is doing the same for this data set
    └── NotOurProject   the project is gone, or was not made by this data set

Every message says what was expected, what came and what to do next. The command line prints
the message of a GarmentLoopError without a traceback and exits 1.
"""


class GarmentLoopError(Exception):
    """Base of all errors raised on purpose; its message is written for the user."""


class BadInput(GarmentLoopError):
    """What the user gave cannot be used."""


class BadImage(BadInput):
    """Bytes that are no picture, or one too large or damaged to decode."""


class BadSource(BadInput):
    """A path, manifest row or URL that cannot be read."""


class UnsafeURL(BadSource):
    """An address that must not be fetched: private, loopback, or not http(s)."""


class BadTable(BadInput):
    """A CSV or JSONL file without the columns or values that are needed."""


class BadTaxonomy(BadInput):
    """A taxonomy or mapping that contradicts itself."""


class BadSetting(GarmentLoopError):
    """A configuration value or command-line option that makes no sense."""


class DatasetError(GarmentLoopError):
    """A data set folder that is missing, foreign or of another version."""


class CatalogError(DatasetError):
    """A table that cannot be read or written."""


class ModelError(GarmentLoopError):
    """A model reference that cannot be resolved or used."""


class UnknownModel(ModelError):
    """The model reference names nothing that exists."""


class UnfitModel(ModelError):
    """The checkpoint loads but cannot do the job it was named for."""


class ClusterError(GarmentLoopError):
    """A Ray cluster that cannot be started or reached."""


class FiftyOneError(GarmentLoopError):
    """FiftyOne or its database cannot be started, reached or used."""


class StudioError(GarmentLoopError):
    """Label Studio cannot be started, reached or used."""


class StudioDown(StudioError):
    """No answer from that address, none from a Label Studio, or nothing but failures."""


class StudioDenied(StudioError):
    """The token is wrong, expired or may not do this."""


class StudioRefused(StudioError):
    """The server understood the request and will not do it (4xx)."""


class StudioBusy(StudioError):
    """Another process is doing the same for this data set."""


class NotOurProject(StudioError):
    """The project is gone, or was not made by this data set."""
