"""A decision in words. Nothing here decides."""
