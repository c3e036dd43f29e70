"""Garment crop -> proposed labels -> Label Studio -> human labels."""
