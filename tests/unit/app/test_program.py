"""What the server reads at its start and again at a reload."""

import pytest

from sealwright.app.home import Home
from sealwright.app.program import program
from sealwright.settings import SettingsRefused


def reading(home, first):
    """What the supervisor calls to read the settings, called once with `first` as the database."""
    (home / "settings.toml").write_text(f'database_url = "{first}"\n')
    read = program(Home(home), lambda _: None).load
    read()
    return read


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("sqlite:///seal.db", "sqlite:///other.db"),
        ("sqlite:///seal.db", ""),
        ("sqlite:///seal.db", "postgresql://u@h/seal"),
        ("postgresql://u@h/seal", "postgresql://u@h/other"),
        ("postgresql://u@h/seal", "postgresql://u@h2/seal"),
        ("postgresql://u@h/seal", "postgresql://u@h/seal?host=h2"),
    ],
)
def test_reload_that_names_another_database_is_refused(tmp_path, first, second):
    read = reading(tmp_path, first)
    (tmp_path / "settings.toml").write_text(f'name = "A"\ndatabase_url = "{second}"\n')
    with pytest.raises(SettingsRefused) as caught:
        read()
    assert caught.value.detail == (f"{tmp_path}/settings.toml, line 2: database_url names another database than the one in use.")
    assert "Restart" in caught.value.hint
    assert [each.name for each in tmp_path.iterdir()] == ["settings.toml"]
    (tmp_path / "settings.toml").write_text(f'name = "A"\ndatabase_url = "{first}"\n')
    assert read().name == "A"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("postgresql://seal:old@h:5432/seal", "postgresql://seal:new@h:5432/seal"),
        ("postgresql://h/seal?user=seal&password=old", "postgresql://h/seal?user=other&password=new"),
        ("postgresql://h/seal?sslmode=require&password=old", "postgresql://h/seal?password=new&sslmode=require"),
    ],
)
def test_reload_may_sign_in_to_the_same_database_with_a_new_password(tmp_path, old, new):
    read = reading(tmp_path, old)
    (tmp_path / "settings.toml").write_text(f'database_url = "{new}"\n')
    assert read().database_url == new
