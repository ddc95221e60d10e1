"""How PostgreSQL is connected to, by engines and by the hot path alike.

Shape: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?schema=NAME` and libpq's own options (`sslmode`, `sslrootcert`,
`target_session_attrs` …). `schema` is the search path: no other schema is looked at for a table.
"""

from typing import Any

from sqlalchemy.engine import URL

TIMEOUT = 10
"""Units: seconds that a connection may take to come about."""


def arguments(url: URL, **settings: str) -> dict[str, Any]:
    """What asyncpg's `connect` is given for a URL. `settings` are the session's."""
    schema = url.query.get("schema")
    if schema:
        settings["search_path"] = '"' + str(schema).replace('"', '""') + '"'
    dsn = url.set(drivername="postgresql").difference_update_query(["schema"])
    return {
        "dsn": dsn.render_as_string(hide_password=False),
        "server_settings": {"application_name": "homeroom", **settings},
        "timeout": TIMEOUT,
    }
