"""Authlib in a Flask application, as its documentation shows it, with every check of the ID token that it has."""

from authlib.integrations.flask_client import OAuth
from conversation import ask, read, tell
from flask import Flask, request

settings = read()
application = Flask("application")
application.secret_key = "a key for the cookies of this test"
provider = OAuth(application).register(
    "provider",
    client_id=settings["client_id"],
    client_secret=settings.get("client_secret"),
    server_metadata_url=f"{settings['issuer']}/.well-known/openid-configuration",
    client_kwargs={"scope": settings["scope"]} | ({} if settings.get("no_pkce") else {"code_challenge_method": "S256"}),
)
result = {}


@application.get("/login")
def login():
    """Send the browser away."""
    return provider.authorize_redirect(settings["redirect_uri"])


@application.get("/callback")
def callback():
    """Take the person in: the ID token is checked by Authlib."""
    token = provider.authorize_access_token()
    metadata = provider.load_server_metadata()
    result["claims"] = token["userinfo"]
    result["person"] = provider.userinfo(token=token)
    with provider._get_oauth_client(**metadata) as session:
        refreshed = session.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
        result["refreshed"] = refreshed["access_token"] != token["access_token"]
        if settings.get("client_secret"):
            introspect = metadata["introspection_endpoint"]
            result["introspected"] = session.introspect_token(introspect, token=refreshed["access_token"]).json()
            session.revoke_token(metadata["revocation_endpoint"], token=refreshed["refresh_token"]).raise_for_status()
            result["revoked"] = session.introspect_token(introspect, token=refreshed["access_token"]).json()
            own = session.fetch_token(metadata["token_endpoint"], grant_type="client_credentials", scope="")
            result["own"] = session.introspect_token(introspect, token=own["access_token"]).json()
    result["sign_out"] = provider.create_logout_url(settings["post_logout_redirect_uri"], id_token_hint=token["id_token"])
    return request.path


browser = application.test_client()
arrived = ask({"open": browser.get("/login").location})
answered = browser.get(arrived["callback"].replace(settings["redirect_uri"], "/callback"))
if answered.status_code != 200:
    raise SystemExit(answered.get_data(as_text=True))
result["left"] = ask({"open": result["sign_out"]["url"]})["callback"]
tell(result)
