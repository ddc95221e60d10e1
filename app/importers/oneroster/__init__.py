"""OneRoster CSV, versions 1.1 and 1.2, in bulk and in delta form."""
