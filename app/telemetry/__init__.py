"""What the operator can see of a running server: metrics and traces. Names, numbers and times, and never a value."""
