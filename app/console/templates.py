"""The pages' templates. INVARIANT: every value is escaped; a name that is not given is an error and no gap."""

from collections.abc import Mapping
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.console.lists import written
from app.console.wording import SENSITIVITIES, breakable, day, moment, number, plural

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"


def environment() -> Environment:
    """The templates, with the few words that all of them use."""
    made = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FileSystemLoader(FOLDER / "pages"),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "breakable": breakable,
        "day": day,
        "listed": written,
        "moment": moment,
        "number": number,
        "plural": plural,
    }
    made.globals |= {"static": addresses(), "sensitivity_words": SENSITIVITIES, "date": date, "datetime": datetime}
    return made


def addresses() -> Mapping[str, str]:
    """The address of each static file, which is another whenever the file is."""
    return {
        file.name: f"/console/static/{file.name}?v={sha256(file.read_bytes()).hexdigest()[:12]}"
        for file in sorted(STATIC.iterdir())
    }
