"""The fine-tuned tagger: an image tower with one head an attribute, loaded from a model folder."""
