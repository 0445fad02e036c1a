"""Receipts: who has read a message."""
