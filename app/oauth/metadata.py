"""What a client can find out about this authorization server, and about each space, by itself.

Spec: RFC 8414, RFC 9728.
"""

from collections.abc import Sequence

from app.names import Scope
from app.oauth.proof import ALGORITHMS, METHODS


def server(issuer: str, scopes: Sequence[Scope]) -> dict[str, object]:
    """`/.well-known/oauth-authorization-server`. It lists no spaces: a vendor knows the districts that it serves."""
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth/token",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "scopes_supported": list(scopes),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": METHODS,
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "introspection_endpoint_auth_methods_supported": METHODS,
        "introspection_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
    }


def resource(issuer: str, space: str, scopes: Sequence[Scope]) -> dict[str, object]:
    """`/.well-known/oauth-protected-resource/spaces/ID`."""
    return {
        "resource": space,
        "authorization_servers": [issuer],
        "scopes_supported": list(scopes),
        "bearer_methods_supported": ["header"],
    }
