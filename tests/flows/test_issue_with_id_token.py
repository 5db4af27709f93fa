"""From a provisioner in a file to a certificate that a TLS server would accept, as the published recipe has it."""

import json
from datetime import timedelta

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from sealwright.app.home import Home
from sealwright.ca import HolderStatus
from sealwright.clock import to_datetime
from tests.authorities import ALICE, READER, authority, common_name_in, csr, der_of, leaf_of, names_in
from tests.unit.ca.provisioners.test_definitions import KANIDM

PROVIDER = "https://id.richtman.au/oauth2/openid/step-ca"
ARIEL = "ariel@id.richtman.au"
URI = f"{PROVIDER}#{ALICE}"


async def test_recipe_runs_as_published(tmp_path):
    files = Home(tmp_path).provisioner_files
    files.mkdir()
    (files / "kanidm.json").write_text(KANIDM)
    async with authority(tmp_path) as ca:
        ca.add_local_provider(PROVIDER)

        _, listed = await ca.call("GET", "/provisioners", query="limit=100")
        assert listed["provisioners"] == [json.loads(KANIDM)]

        def id_token(**claims):
            return ca.id_token(iss=PROVIDER, email=ARIEL, preferred_username=ARIEL, **claims)

        # What `step ca certificate ariel@id.richtman.au` sends when that is the mail address in the token.
        request = csr(ALICE, (ARIEL, URI))
        status, answer = await ca.call("POST", "/sign", {"csr": request, "ott": id_token()})
        assert status == 201, answer
        leaf = leaf_of(answer)
        assert (common_name_in(leaf), names_in(leaf)) == (ALICE, [ARIEL, URI])
        assert leaf.not_valid_after_utc - to_datetime(ca.clock.now()) == timedelta(hours=2)

        # Any mutual-TLS server that trusts the root accepts it.
        (root,) = await ca.issuers.roots()
        trusted = Store([x509.load_der_x509_certificate(root.certificate_der)])
        chain = [x509.load_pem_x509_certificate(each.encode()) for each in answer["certChain"]]
        verifier = PolicyBuilder().store(trusted).time(to_datetime(ca.clock.now())).build_client_verifier()
        client = verifier.verify(leaf, chain[1:])
        assert [name.value for name in client.subjects] == [ARIEL, URI]

        # The claims of the recipe: eight hours at most, no renewal.
        for hours, expected in (("8h", 201), ("9h", 403)):
            body = {"csr": request, "ott": id_token(), "notAfter": hours}
            assert (await ca.call("POST", "/sign", body))[0] == expected
        status, answer = await ca.call("POST", "/renew", certificate=der_of({"crt": chain_pem(chain)}))
        assert (status, "does not allow renewal" in answer["message"]) == (401, True)

        # Someone else's name, another domain, and a person who has left.
        body = {"csr": csr("bob@id.richtman.au", ("bob@id.richtman.au",)), "ott": id_token()}
        status, answer = await ca.call("POST", "/sign", body)
        assert (status, "bob@id.richtman.au" in answer["message"]) == (403, True)
        token = ca.id_token(iss=PROVIDER, email="alice@example.org")
        status, answer = await ca.call("POST", "/sign", {"csr": csr(), "ott": token})
        assert (status, "none of the domains" in answer["message"]) == (403, True)
        ca.holder_statuses[ALICE] = HolderStatus(active=False, reason="The account has expired.")
        status, answer = await ca.call("POST", "/sign", {"csr": request, "ott": id_token()})
        assert (status, "The account has expired." in answer["message"]) == (403, True)

        # The administrator of the recipe may ask for any address.
        ca.holder_statuses[ALICE] = HolderStatus(active=True)
        token = ca.id_token(iss=PROVIDER, email="ariel@richtman.au")
        body = {"csr": csr("anyone@example.net", ("anyone@example.net",)), "ott": token}
        status, answer = await ca.call("POST", "/sign", body)
        assert (status, names_in(leaf_of(answer))) == (201, ["anyone@example.net"])

        page = await ca.inventory.page(READER, account_id=ALICE)
        assert len(page.certificates) == 3


def chain_pem(chain):
    """The first certificate of a chain, in PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return chain[0].public_bytes(Encoding.PEM).decode()
