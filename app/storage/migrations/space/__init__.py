"""Revisions of a space's database."""
