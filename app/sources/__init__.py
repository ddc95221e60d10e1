"""The interface of everything that holds records."""
