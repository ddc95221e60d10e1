"""`python -m app` is `homeroom`."""

import gc

# Reading modules makes objects by the hundred thousand, and all of them stay: looking each time which are needed no
# longer takes a third of a start.
gc.set_threshold(50_000, 20, 50)

from app.cli.main import main  # noqa: E402

main()
