"""The learning registry: an index of learning resources, a subgraph of its own. It knows no student and no vendor."""
