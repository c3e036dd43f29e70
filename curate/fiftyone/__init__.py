"""FiftyOne as the curator's window on a data set: a view that can be rebuilt from the catalogue.

Nothing here imports `fiftyone` before it is needed: that takes seconds.
"""
