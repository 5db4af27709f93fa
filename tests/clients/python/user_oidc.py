"""An application that does what Nextcloud's user_oidc does, the old version and the present one.

The old one knows neither PKCE nor any address to sign out at, and takes the person's name and mail address from the ID token. The
present one uses PKCE where the metadata say S256, sends its secret in the body, and listens for logout tokens.
"""

import base64
import hashlib
import json
import secrets
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from conversation import ask, read, tell
from joserfc import jwt
from joserfc.jwk import KeySet

EVENT = "http://schemas.openid.net/event/backchannel-logout"
settings = read()
is_old = settings.get("old", False)
provider = requests.get(f"{settings['issuer']}/.well-known/openid-configuration", timeout=30).json()
sessions = {}
told = []


def require(holds, otherwise):
    """End the program with a word about what is wrong."""
    if not holds:
        raise SystemExit(otherwise)


def claims_of(token):
    """The claims of a token that the provider signed: for this client, in time, and from the issuer of the metadata."""
    keys = KeySet.import_key_set(requests.get(provider["jwks_uri"], timeout=30).json())
    found = jwt.decode(token, keys, algorithms=["RS256"] if is_old else ["RS256", "ES256"]).claims
    audience = found["aud"]
    require(settings["client_id"] == audience or settings["client_id"] in audience, "the token is for somebody else")
    require(found["exp"] > time.time(), "the token is over")
    require(found["iss"] == provider["issuer"], "another issuer")
    return found


class Listener(BaseHTTPRequestHandler):
    """Takes logout tokens."""

    def do_POST(self):
        """End the session that a token names; anything else is refused."""
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        claims = claims_of(form["logout_token"][0])
        session = sessions.get(claims.get("sid"))
        good = (
            self.path == "/apps/user_oidc/backchannel-logout/Sealwright"
            and list(claims["events"]) == [EVENT]
            and "nonce" not in claims
            and session is not None
            and session == claims.get("sub")
        )
        if good:
            del sessions[claims["sid"]]
        told.append({"ended": good, "claims": claims})
        self.send_response(200 if good else 400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *_):
        """Nothing on standard error."""


listener = ThreadingHTTPServer(("127.0.0.2", settings.get("port", 0)), Listener)
if not is_old:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(settings["certificate"], settings["key"])
    listener.socket = tls.wrap_socket(listener.socket, server_side=True)
threading.Thread(target=listener.serve_forever, daemon=True).start()

state, nonce, verifier = secrets.token_hex(16).upper(), secrets.token_hex(16).upper(), secrets.token_hex(64)
asked = {
    "client_id": settings["client_id"],
    "response_type": "code",
    "scope": settings["scope"],
    "redirect_uri": settings["redirect_uri"],
    "state": state,
    "nonce": nonce,
}
redeemed = {
    "client_id": settings["client_id"],
    "client_secret": settings["client_secret"],
    "redirect_uri": settings["redirect_uri"],
    "grant_type": "authorization_code",
}
if not is_old:
    wanted = dict.fromkeys(("email", "name", "groups"))
    asked["claims"] = json.dumps({"id_token": wanted, "userinfo": wanted})
    require("S256" in provider["code_challenge_methods_supported"], "the metadata do not say S256")
    digest = hashlib.sha256(verifier.encode()).digest()
    asked |= {"code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), "code_challenge_method": "S256"}
    redeemed["code_verifier"] = verifier
callback = parse_qs(urlsplit(ask({"open": f"{provider['authorization_endpoint']}?{urlencode(asked)}"})["callback"]).query)
require(callback.get("state") == [state], f"another state: {callback}")
require("code" in callback, f"no code: {callback}")
answer = requests.post(provider["token_endpoint"], redeemed | {"code": callback["code"][0]}, timeout=30)
require(answer.ok, answer.text)
tokens = answer.json()
claims = claims_of(tokens["id_token"])
require(claims["nonce"] == nonce, "another nonce")
bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
person = requests.get(provider["userinfo_endpoint"], headers=bearer, timeout=30).json()
require(person["sub"] == claims["sub"], "another person at userinfo")
sessions[claims.get("sid")] = claims["sub"]
result = {"claims": claims, "person": person, "told": told}
if is_old:
    tell(result)
else:
    leaving = {
        "post_logout_redirect_uri": settings["post_logout_redirect_uri"],
        "id_token_hint": tokens["id_token"],
        "client_id": settings["client_id"],
    }
    before = ask({"open": f"{provider['end_session_endpoint']}?{urlencode(leaving)}", "signed_in": len(sessions)})
    for _ in range(600):
        if told:
            break
        time.sleep(0.05)
    tell(result | {"left": before["callback"], "signed_in": len(sessions)})
listener.shutdown()
