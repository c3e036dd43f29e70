"""The face of the project: command line, configuration and workers. Only it knows all stages."""

__version__ = "0.1.0"
