"""Finding what was said, in the rooms that one is in."""
