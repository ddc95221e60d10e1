"""The schema: what the graph presents, and what is known of each field. No database, no HTTP."""
