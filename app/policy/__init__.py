"""What a district grants: reading its files, deciding field by field, saying why, and finding what misleads."""
