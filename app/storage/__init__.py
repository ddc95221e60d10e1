"""Engines, migrations, and the control database that belongs to the installation."""
