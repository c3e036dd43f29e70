"""Train, val and test: disjoint by photo, person, handle and duplicates, and stable as data grows.

What a model is tested on is the audit slice and the test part of imported sets, and nothing else.
Test beats val and val beats train: where a group of garments that must stay together holds several
of them, the strongest keeps its garments and the others are quarantined, in no part at all.

facts         what the catalogue knows of each garment
handles       whose photos belong together
stated        what imported sets say about their own parts
groups        what must stay together
evidence      facts and earlier splits put together, garment by garment
assign        which part a garment goes to
stratify      which groups are val, so that every value has its share
record        versions of the split in the catalogue
notes         what a curator should know about it
make          all of it, in order
"""
