"""How far Homeroom is from the best that hand-written code can do, and how far ahead of an ordinary GraphQL server."""
