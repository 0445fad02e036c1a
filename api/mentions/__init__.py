"""Mentions: who a message names, and where."""
