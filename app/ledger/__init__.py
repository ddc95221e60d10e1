"""Disclosures: what left, to whom, whose it was, when and why; recorded before it leaves, and provable afterwards."""

from app.ledger.checkpoints import Checkpoints
from app.ledger.entry import Entry, Kind, Receipt, Recorded, Whose
from app.ledger.ledger import Ledger

__all__ = ["Checkpoints", "Entry", "Kind", "Ledger", "Receipt", "Recorded", "Whose"]
