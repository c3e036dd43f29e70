"""Releases: frozen Hugging Face data sets, made at once, compared, and checked for ever.

A release is the folder `releases/<name>/` of a data set: Parquet files with the crops inside, a
card, a datasheet, where every photo came from, what was left out and why, and the SHA-256 of all
of it. Whoever has the folder needs none of this code to read it.
"""
