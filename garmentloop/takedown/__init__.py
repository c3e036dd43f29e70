"""Taking a photo, or all photos of a handle, out of everything that a data set knows.

find what is meant -> plan what goes -> write down the intent -> FiftyOne, releases, catalogue,
Label Studio, files -> look whether anything is left -> log it without a name. Each step may be done
again, so a takedown that was killed is simply carried out again from its intent.
"""
