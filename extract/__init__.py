"""Photo -> people -> garment crops."""
