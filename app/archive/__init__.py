"""Back-ups: an installation as one file that its owner alone can read, and an installation made from it."""
