"""Finished inference: a photo's people, garments and tags, and how they are shown."""
