"""Running networks fast without changing what they answer."""
