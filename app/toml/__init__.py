"""TOML as people write it: on which line each key stands, and which key a complaint is about."""
