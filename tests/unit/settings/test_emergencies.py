"""Who may become the first administrator, and whether the break-glass password can be used: file, environment, other names."""

import pytest

from sealwright.settings import SettingsRefused, load, read_environment

TOKEN = "a-token-of-the-operator-that-is-long-enough"


def loaded(tmp_path, variables, text=""):
    (tmp_path / "settings.toml").write_text(text)
    return load(tmp_path, read_environment(variables))


def test_everything_for_emergencies_is_off_by_default(tmp_path):
    settings = loaded(tmp_path, {})
    assert (settings.bootstrap_token, settings.bootstrap.admin_groups, settings.bootstrap.oidc_provider_id) == ("", (), "")
    assert settings.break_glass.enabled is False


@pytest.mark.parametrize(
    ("prefix", "break_glass"),
    [("SEALWRIGHT_", "SEALWRIGHT_BREAK_GLASS_ENABLED"), ("CERTCTL_", "CERTCTL_BREAKGLASS_ENABLED")],
)
def test_variables_of_the_guide_are_taken_as_our_own(tmp_path, prefix, break_glass):
    variables = {
        f"{prefix}BOOTSTRAP_ADMIN_GROUPS": "admins, chiefs",
        f"{prefix}BOOTSTRAP_OIDC_PROVIDER_ID": "p-1",
        f"{prefix}BOOTSTRAP_TOKEN": TOKEN,
        break_glass: "true",
    }
    settings = loaded(tmp_path, variables)
    assert (settings.bootstrap.admin_groups, settings.bootstrap.oidc_provider_id) == (("admins", "chiefs"), "p-1")
    assert (settings.bootstrap_token, settings.break_glass.enabled) == (TOKEN, True)
    assert TOKEN not in repr(settings)


def test_our_own_variable_counts_before_that_of_the_guide(tmp_path):
    variables = {"SEALWRIGHT_BOOTSTRAP_ADMIN_GROUPS": "ours", "CERTCTL_BOOTSTRAP_ADMIN_GROUPS": "theirs"}
    assert loaded(tmp_path, variables).bootstrap.admin_groups == ("ours",)


def test_short_bootstrap_token_and_unclear_flag_are_refused_without_the_token(tmp_path):
    with pytest.raises(SettingsRefused) as caught:
        loaded(tmp_path, {"SEALWRIGHT_BOOTSTRAP_TOKEN": "sh0rt"})
    assert "32 characters" in str(caught.value)
    assert "sh0rt" not in str(caught.value)
    with pytest.raises(SettingsRefused):
        loaded(tmp_path, {"CERTCTL_BREAKGLASS_ENABLED": "perhaps"})


def test_environment_can_switch_break_glass_off(tmp_path):
    text = "[break_glass]\nenabled = true\n"
    assert loaded(tmp_path, {}, text).break_glass.enabled is True
    assert loaded(tmp_path, {"SEALWRIGHT_BREAK_GLASS_ENABLED": "false"}, text).break_glass.enabled is False
