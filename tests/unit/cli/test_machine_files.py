"""The files of a machine: nothing of a secret is left beside them, and a damaged one is told as such."""

import json

import pytest

from sealwright.cli.errors import CommandFailed
from sealwright.cli.files import write_private
from sealwright.cli.machine_files import MachineFiles


def test_secret_that_cannot_be_put_into_place_is_left_nowhere(tmp_path):
    (tmp_path / "machine.pem").mkdir()
    with pytest.raises(CommandFailed, match="cannot be written"):
        write_private(tmp_path / "machine.pem", b"secret")
    assert [each.name for each in tmp_path.iterdir()] == ["machine.pem"]


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"client_id": "a", "authority": "https://ca.example.org"})])
def test_client_file_that_lacks_something_is_damaged(tmp_path, content):
    (tmp_path / "client.json").write_text(content)
    with pytest.raises(CommandFailed, match="is damaged"):
        MachineFiles(tmp_path).registered()
