"""GraphQL over HTTP, OAuth's endpoints, pages and probes: everything that a browser or a client can reach."""
