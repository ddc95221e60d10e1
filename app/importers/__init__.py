"""Importers: what a district sends becomes its space. OneRoster CSV, Ed-Fi XML, and the sandbox that writes both."""
