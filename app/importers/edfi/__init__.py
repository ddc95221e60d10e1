"""Ed-Fi XML 1.0: the interchange files of a district, read as streams."""
