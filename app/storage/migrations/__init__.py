"""One line of revisions for each kind of database; a script, once released, never changes."""
