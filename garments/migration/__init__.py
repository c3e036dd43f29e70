"""Taxonomy migrations: from one taxonomy of a data set to the next, with its labels.

A map (`mapfile`) says what becomes of the old values; `check` holds it against both taxonomies,
`moves` applies it to an answer, `labels` to rows of the catalogue. Labels are only ever added: a
migrated one says which label it says anew and by which migration. `record` is the journal and what
was migrated before, and `history` reads labels of any earlier taxonomy by it.

An id has one meaning for ever: one that was renamed, split or removed never comes back as something
else. So whoever still answers by an earlier form is never misread.
"""
