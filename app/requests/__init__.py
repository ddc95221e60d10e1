"""What vendors ask of districts: the form, what is kept of it, the file that a decision writes, and who is told."""
