"""The authorization server: who a vendor is, and the tokens by which it is known. Says nothing of what it may read."""
