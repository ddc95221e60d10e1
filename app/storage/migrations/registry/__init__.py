"""Revisions of the registry database."""
