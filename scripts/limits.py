"""The limits of what comes from outside, each read from the code that holds to it. Used by the script `reference`."""

from __future__ import annotations

from collections.abc import Iterator

from sealwright import hosts, http, password_strength
from sealwright.api.manifests.operations import LARGEST_MANIFEST
from sealwright.api.operations import LONGEST_PAGE
from sealwright.ca import csr, names
from sealwright.ca.issuers.hierarchy import LONGEST_NAME
from sealwright.ca.step_api import http as step
from sealwright.client_metadata import LONGEST_URI, MOST_URIS
from sealwright.clock import LONGEST_DURATION_TEXT
from sealwright.identity import policy as people
from sealwright.identity.foreign_hashes import DEAREST_BCRYPT, MOST_ITERATIONS, MOST_MEMORY
from sealwright.identity.imports.people import MOST_PEOPLE
from sealwright.jose import LONGEST_TOKEN
from sealwright.jose.jwk import MOST_KEYS
from sealwright.manifest.yaml_reader import DEEPEST, LARGEST_FILE
from sealwright.oauth import parameters
from sealwright.oauth.policy import MAX_SCOPES
from sealwright.runtime.listener_state import Limits
from sealwright.web.page_route import MAX_FORM

LIMITS = """
What is longer is refused with a message that names the limit. Lengths of names and texts are counted in characters, those of
requests in bytes. An ID token sent as `id_token_hint` may be longer than an address: send such a request with POST.
""".strip()


def limits() -> Iterator[tuple[str, int, str]]:
    """What, how much, and what is counted."""
    lane = Limits()
    yield "Address of a request (path and query)", lane.url_bytes, "bytes"
    yield "Head of a request", lane.head_bytes, "bytes"
    yield "Headers of a request", lane.headers, "headers"
    yield "Body of a request, where its endpoint says nothing else", http.MAX_BODY, "bytes"
    yield "Body of sign, renew, rekey and revoke", step.LARGEST_BODY, "bytes"
    yield "Body of a manifest", LARGEST_MANIFEST, "bytes"
    yield "File of a manifest", LARGEST_FILE, "bytes"
    yield "People of an import", MOST_PEOPLE, "people"
    yield "Iterations of an imported PBKDF2 hash", MOST_ITERATIONS, "iterations"
    yield "Memory of an imported Argon2 hash", MOST_MEMORY, "KiB"
    yield "Cost of an imported bcrypt hash", DEAREST_BCRYPT, "rounds, as a power of 2"
    yield "Depth of a manifest", DEEPEST, "levels"
    yield "Form of a page", MAX_FORM, "bytes"
    yield "Fields of a form or query", http.MAX_FORM_FIELDS, "fields"
    yield "Entries on a page of the API", LONGEST_PAGE, "entries"
    yield "Entries on a page of provisioners (step)", step.LONGEST_PAGE, "entries"
    yield "Token, made or read (sign, userinfo, id_token_hint)", LONGEST_TOKEN, "characters"
    yield "Keys in a key set of another provider", MOST_KEYS, "keys"
    yield "`state`", parameters.LONGEST_RETURNED_STATE, "bytes"
    yield "`nonce`", parameters.LONGEST_NONCE, "bytes"
    yield "`login_hint` (the rest is not looked at)", parameters.LONGEST_HINT, "characters"
    yield "Scopes of a request", MAX_SCOPES, "scopes"
    yield "Redirect or landing URL", LONGEST_URI, "characters"
    yield "Redirect URLs of a client", MOST_URIS, "addresses"
    yield "Request for a certificate", csr.LONGEST, "bytes"
    yield "Names in a certificate", names.MOST_NAMES, "names"
    yield "Common name", names.LONGEST_COMMON_NAME, "characters"
    yield "URI in a certificate", names.LONGEST_URI, "characters"
    yield "Host name", hosts.LONGEST_HOST, "characters"
    yield "Label of a host name", hosts.LONGEST_LABEL, "characters"
    yield "Mail address", hosts.LONGEST_MAIL, "characters"
    yield "Mail address before its @", hosts.LONGEST_LOCAL_PART, "characters"
    yield "Name of the authorities (`init --name`)", LONGEST_NAME, "characters"
    yield "Display name of a person or client", people.MAX_DISPLAY_NAME, "characters"
    yield "Mail addresses of a person", people.MAX_MAILS, "addresses"
    yield "Password of a person or provisioner", password_strength.MAX_PASSWORD, "characters"
    yield "Iterations for the key of a provisioner", password_strength.MOST_ITERATIONS, "iterations"
    yield "Duration as text", LONGEST_DURATION_TEXT, "characters"
