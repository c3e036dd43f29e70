"""Fine-tuning of the tagger: labels -> features or pixels -> heads -> a calibrated model folder."""
