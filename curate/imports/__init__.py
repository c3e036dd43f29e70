"""Public data sets as sources: their photos, people, garments and labels into a data set.

`names.py` knows the sets, a module a kind of set reads it into `entries.py`'s terms, `run.py` cuts
and records. What the sets say arrives as labels of kind `import`, in the words of the taxonomy.
"""
