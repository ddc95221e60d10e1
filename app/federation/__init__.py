"""The planner and the executor: supergraph → plan → records. Sources are known by their interface alone."""
