"""Programs that a test runs within a world, as one more process on its database."""
