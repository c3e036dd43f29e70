"""Readers of public data sets, one file each: from their tables to typed rows."""
