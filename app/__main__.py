"""`python -m app` is `homeroom`."""

from app.cli.main import main

main()
