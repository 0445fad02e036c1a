"""Wiring only: environment, settings, checks, and the two protocols' entry points."""
