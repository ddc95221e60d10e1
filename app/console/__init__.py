"""The district's pages: who may read what, seen, decided and proved by officers who are no programmers."""
