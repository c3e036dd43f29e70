"""Comparing words that people and data sets write differently."""

import re


def normalised(word: str) -> str:
    """`word` in lower case with everything but letters and digits as single blanks."""
    return re.sub(r"[\W_]+", " ", word).strip().casefold()
