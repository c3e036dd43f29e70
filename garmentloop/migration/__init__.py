"""Migrating a data set's taxonomy: one at a time, with everybody else kept out while it switches.

journal -> labels (one commit) -> taxonomy.toml -> report -> the journal becomes a record. Whoever
is killed in between leaves the journal; the next call goes on from there to the same end.
"""
