"""Officers of the districts: their accounts, and the browsers that they are signed in with."""
