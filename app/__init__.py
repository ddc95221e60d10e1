"""Homeroom: a GraphQL gateway for student data, where a vendor fetches exactly what a district granted."""

__version__ = "0.1.0"
