"""Human labels -> failures, duplicates, suspects -> selection, split, release."""
