"""Threads as one reads them: their replies, and how far one is."""
