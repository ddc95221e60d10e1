"""GraphQL sources over HTTP."""
