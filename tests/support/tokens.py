"""Tokens, made with nothing but HMAC, so that wrong ones can be made as well."""

import base64
import hashlib
import hmac
import json
import time

ISSUER = "investment-performance"
AUDIENCE = "investment-performance-api"
READ_AND_WRITE = "performance:read performance:write"


def claims(client="acme", scope=READ_AND_WRITE, lifetime_seconds=3600, **changed):
    """Claims of a good token; those of `changed` take their place, `None` removes one."""
    now = int(time.time())
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": f"{client}-user",
        "client_id": client,
        "scope": scope,
        "iat": now,
        "nbf": now,
        "exp": now + lifetime_seconds,
    }
    return {name: value for name, value in (good | changed).items() if value is not None}


def sign(payload, secret, header=None):
    """The token of these claims."""
    parts = [header or {"alg": "HS256", "typ": "JWT"}, payload]
    text = ".".join(_base64(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    digest = {"HS512": hashlib.sha512}.get(parts[0]["alg"], hashlib.sha256)
    signature = hmac.new(secret.encode(), text.encode(), digest).digest()
    return f"{text}.{_base64(signature)}"


def _base64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
