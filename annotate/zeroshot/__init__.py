"""Zero-shot taggers: image-text models that compare a crop with prompts for every value."""
