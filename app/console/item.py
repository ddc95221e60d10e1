"""One line of what there is to do."""

from dataclasses import dataclass

DECIDE = "Decide"
"""What leads to a request that waits for this very officer's role."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do: how urgent, what it is, and where to go."""

    urgency: str  # bad, warn, or nothing
    title: str
    sentence: str
    address: str
    action: str
