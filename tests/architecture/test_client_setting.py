"""A new setting of clients is one row in the table of client metadata, and the code that asks for it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = """    default_max_age: Annotated[
        int | None,
        MemberDeclaration(
            doc="How old a sign-in may be, in seconds, where a request says nothing.",
            label="oldest sign-in",
            set_by=SetBy.REGISTRATION,
            usual=lambda _client, _defaults: 0,
            usual_doc="any age",
            verbs=(
                Verb(
                    name="set-default-max-age",
                    doc="Say how old a sign-in may be.",
                    said="{client} takes sign-ins of {value} seconds",
                    example="set-default-max-age wiki 3600",
                    argument="seconds",
                    optional=True,
                ),
            ),
        ),
    ] = None
"""
USE = """
import asyncio
import sealwright
from sealwright.access import SYSTEM
from sealwright.api import clients as api
from sealwright.cli.system import oauth2
from tests.oauth_world import oauth_world
from tests.reference_script import reference

async def scenario():
    async with oauth_world() as world:
        clients = world.server.clients
        await clients.create_public("app", "App", "https://app.example.org", actor=SYSTEM)
        assert (await clients.get("app", actor=SYSTEM)).default_max_age == 0
        await clients.change("app", {"default_max_age": 3600}, actor=SYSTEM)
        assert (await clients.get("app", actor=SYSTEM)).default_max_age == 3600
        assert (await world.other_node().server.discovery.client("app")).default_max_age == 3600

asyncio.run(scenario())
assert "default_max_age" in api.ClientChange.__struct_fields__
assert "default_max_age" in api.ClientBody.__struct_fields__
assert "default_max_age" in api.ClientView.__struct_fields__
assert oauth2.commands["set-default-max-age"].params[1].name == "seconds"
assert "`default_max_age`" in reference().pages()["clients.md"]
print(sealwright.__file__)
"""


def test_new_setting_of_a_client_is_one_row(tmp_path):
    copy = tmp_path / "src" / "sealwright"
    shutil.copytree(ROOT / "src" / "sealwright", copy, ignore=shutil.ignore_patterns("__pycache__"))
    for shared in ("tests", "scripts"):
        (tmp_path / shared).symlink_to(ROOT / shared)
    rows = copy / "client_metadata" / "rows_of_sign_in.py"
    rows.write_text(rows.read_text() + ROW)
    # Not measured: the copy is gone when the report is made.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    environment |= {"PYTHONPATH": f"{copy.parent}{os.pathsep}{tmp_path}"}
    done = subprocess.run([sys.executable, "-c", USE], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == str(copy / "__init__.py"), "the copy is what was tried"
