"""Parsers: which part of a dressed person each pixel of a person crop belongs to."""
