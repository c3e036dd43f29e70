"""Ground floor of garmentloop: what every stage shares."""
