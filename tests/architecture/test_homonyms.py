"""A public class name exists once in the whole source, so that a reader who meets it knows which one is meant."""

import ast
from collections import defaultdict

from tests.architecture.test_budgets import FILES, SOURCE

PROTOCOL = "to be renamed: the command line's view of the class of the same name in app/"
TO_BE_RENAMED = {
    "Application": "to be renamed: the page's view of a client of oauth/",
    "Authority": "to be renamed: a certificate's content in ca/, a server to speak to in cli/",
    "BackupReport": PROTOCOL,
    "CertificatePage": "to be renamed: the answer's shape in api/, the inventory's in ca/",
    "CertificatesOfPeople": "to be renamed: what identity/ asks for, and what ca/ gives",
    "Clients": "to be renamed: operations of api/ on the clients of oauth/",
    "Directory": "to be renamed: what ca/ asks of the directory of identity/",
    "Finding": "to be renamed: a broken rule in ca/, a result of doctor in app/ and cli/",
    "Foundation": "to be renamed: dependencies of the verbs in ca/ and in oauth/",
    "Group": "to be renamed: a group of commands in cli/, of people in identity/",
    "Groups": "to be renamed: operations of api/ on the groups of identity/",
    "InitReport": PROTOCOL,
    "IssuerReport": PROTOCOL,
    "NameRefused": "to be renamed: the name in a certificate, or of an account",
    "Operation": "to be renamed: of the management API, or what a token may be used for",
    "People": "to be renamed: what oauth/ asks of the people of identity/",
    "Problem": "to be renamed: the wire's problem details, or what is wrong in a form",
    "ProvisionerPage": "to be renamed: the answer's shape in api/, the registry's in ca/",
    "Provisioners": "to be renamed: operations of api/ on the provisioners of ca/",
    "ServeReport": PROTOCOL,
    "SignInNeeded": "to be renamed: a failure of a command in cli/, a next step in oauth/",
    "Signed": "to be renamed: a signed leaf in ca/, an answer to a command in cli/",
    "Standing": "to be renamed: what ca/ asks of the standing of identity/",
    "Step": "to be renamed: of an authorization, or of a first visit",
    "Wish": "to be renamed: of a command in cli/, of a scope in web/",
}
"""The names that still mean two things. This list only becomes shorter."""


def public_classes():
    """Name → the files that define a class so called."""
    found = defaultdict(list)
    for path in FILES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(path.relative_to(SOURCE)))
    return found


def test_class_name_has_one_meaning_in_the_whole_source():
    twice = {name: files for name, files in public_classes().items() if len(files) > 1 and name not in TO_BE_RENAMED}
    assert twice == {}


def test_name_that_has_one_meaning_leaves_the_list():
    found = public_classes()
    assert [name for name in TO_BE_RENAMED if len(found.get(name, ())) < 2] == []
