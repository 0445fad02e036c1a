"""People one may look up."""
