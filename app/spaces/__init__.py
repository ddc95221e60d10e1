"""SQL sources: tables, reads by key, identifiers, rows."""
