import base64
import ipaddress
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from sealwright.settings import (
    Address,
    Environment,
    SettingsRefused,
    declared,
    home_directory,
    line_of,
    load,
    parse,
    read_environment,
    render,
)
from tests.flows.listeners_certificates import TestAuthority

FILE = Path("/srv/seal/settings.toml")
NOTHING = Environment()


def refused(text):
    with pytest.raises(SettingsRefused) as caught:
        parse(text, FILE)
    return caught.value


def write(home, text):
    (home / "settings.toml").write_text(text)
    return home


def test_empty_file_gives_the_defaults(tmp_path):
    settings = load(write(tmp_path, ""), NOTHING)
    assert settings.home == tmp_path
    assert settings.name == "Sealwright"
    assert settings.domain == "localhost"
    assert settings.database_url == f"sqlite:///{tmp_path}/sealwright.db"
    assert settings.listen.people == Address("localhost", 8443)
    assert settings.urls.people == "https://localhost:8443"
    assert settings.urls.machines == "https://localhost:9443"
    assert settings.urls.status == "http://localhost:8080"
    assert settings.sessions.absolute == timedelta(hours=8)
    assert settings.sessions.privileged == timedelta(minutes=10)
    assert settings.workers >= 1
    assert settings.key is None


def test_file_values_are_typed(tmp_path):
    text = """
name = "Example"
domain = "example.org"
dns_names = ["ID.example.org", "10.0.0.5"]
workers = 3
[listen]
people = "[::1]:443"
machines = "0.0.0.0:9443"
[sessions]
idle = "1h30m"
[outbound]
allow_private = ["127.0.0.1/8", "10.1.2.3", "fd00::/8"]
allow_http = true
ca_file = "roots.pem"
[tls]
certificate = "/etc/tls/server.crt"
key = "server.key"
[log]
level = "debug"
"""
    (tmp_path / "roots.pem").write_bytes(TestAuthority().root_pem)
    settings = load(write(tmp_path, text), NOTHING)
    assert settings.dns_names == ("id.example.org", "10.0.0.5")
    assert settings.domain == "example.org"
    assert settings.workers == 3
    assert settings.listen.people == Address("::1", 443)
    assert str(settings.listen.people) == "[::1]:443"
    assert settings.urls.people == "https://id.example.org"
    assert settings.urls.machines == "https://id.example.org:9443"
    assert settings.sessions.idle == timedelta(minutes=90)
    assert settings.outbound.allow_private == tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "10.1.2.3/32", "fd00::/8")))
    assert settings.outbound.allow_http
    assert settings.outbound.ca_file == tmp_path / "roots.pem"
    assert settings.tls.certificate == Path("/etc/tls/server.crt")
    assert settings.tls.key == tmp_path / "server.key"
    assert settings.log.level == "debug"


@pytest.mark.parametrize(
    ("text", "key", "value", "line"),
    [
        ('name = "A"\n\nworker = 2\n', "worker", "2", 3),
        ('[listen]\n# people = "x"\npeople = "localhost"\n', "listen.people", '"localhost"', 3),
        ('[listen]\npeople = "localhost:0"', "listen.people", '"localhost:0"', 2),
        ('[listen]\npeople = "localhost:65536"', "listen.people", '"localhost:65536"', 2),
        ('[listen]\npeople = "ho st:80"', "listen.people", '"ho st:80"', 2),
        ('listen.people = "x"', "listen.people", '"x"', 1),
        ('name = "A"\nlisten = { people = "x" }', "listen.people", '"x"', 2),
        ('name = """a\npeople = 3\n"""\n[listen]\npeople = 7', "name", '"a\\npeople = 3\\n"', 1),
        ('[sessions]\nidle = "8 hours"', "sessions.idle", '"8 hours"', 2),
        ('[sessions]\n\nidle = "0s"', "sessions.idle", '"0s"', 3),
        ('[sessions]\nprivileged = "ten minutes"', "sessions.privileged", '"ten minutes"', 2),
        ("[sessions]\nidle = 3600", "sessions.idle", "3600", 2),
        ("workers = true", "workers", "true", 1),
        ("workers = -1", "workers", "-1", 1),
        ('dns_names = "localhost"', "dns_names", '"localhost"', 1),
        ('dns_names = [\n  "a b",\n]', "dns_names", '["a b"]', 1),
        ('[outbound]\nallow_private = ["10.0.0.0/33"]', "outbound.allow_private", '["10.0.0.0/33"]', 2),
        ('[outbound]\nallow_http = "yes"', "outbound.allow_http", '"yes"', 2),
        ('[log]\nlevel = "loud"', "log.level", '"loud"', 2),
        ('[urls]\npeople = "https://id.example.org/sso"', "urls.people", '"https://id.example.org/sso"', 2),
        ('[urls]\npeople = "ftp://id.example.org"', "urls.people", '"ftp://id.example.org"', 2),
        ('[urls]\npeople = "https://a@id.example.org"', "urls.people", '"https://a@id.example.org"', 2),
        ('domain = "exa mple"', "domain", '"exa mple"', 1),
        ('name = "x"\ndomain = 5', "domain", "5", 2),
        ("name = 1979-05-27", "name", "1979-05-27", 1),
        ("dns_names = []", "dns_names", "[]", 1),
        ('[sessions]\nidle = "9h"', "sessions.idle", '"9h"', 2),
        ('[tls]\nkey = "a.key"', "tls.key", '"a.key"', 2),
        ('[listen]\nmachines = "localhost:8443"', "listen.machines", '"localhost:8443"', 2),
        ('[traces]\nendpoint = "localhost:4318"', "traces.endpoint", '"localhost:4318"', 2),
        ('[traces]\nendpoint = "http://who@localhost"', "traces.endpoint", '"http://who@localhost"', 2),
        ("[traces]\nsampling = 5", "traces.sampling", "5", 2),
        ("[traces]\nsampling = true", "traces.sampling", "true", 2),
        ("tls = 4", "tls", "4", 1),
        ("[[tls]]\nkey = 4", "tls", "", 1),
    ],
)
def test_wrong_or_unknown_value_is_named_with_key_value_file_and_line(text, key, value, line):
    failure = refused(text)
    assert (failure.key, failure.line, failure.file) == (key, line, FILE)
    assert failure.detail.startswith(f"{FILE}, line {line}: {key}")
    if value:
        assert failure.value == value
        assert value in failure.detail


def test_unknown_key_gets_a_hint_when_one_is_near():
    assert refused('[sessions]\nidl = "1h"').hint == "Perhaps sessions.idle was meant."
    assert refused('idle = "1h"').hint == "Perhaps sessions.idle was meant."
    assert refused("[lisen]").hint == "Perhaps listen was meant."
    assert refused("zzzzzz = 1").hint == "See all settings with: sealwright help settings"


def test_text_that_is_not_toml_is_refused_with_its_line():
    failure = refused('name = "A"\nworkers = \n')
    assert (failure.key, failure.line) == ("the file", 2)
    assert "is not TOML" in failure.detail


def test_hostile_files_are_refused_in_words_too():
    for text in ("a = " + "[" * 5_000, "workers = " + "9" * 5_000):
        assert refused(text).line == 1
    assert refused("a = " + "[" * 5_000).detail == f"{FILE}, line 1: the file is nested too deeply."


def test_empty_name_is_refused():
    failure = refused('name = ""')
    assert failure.detail == f'{FILE}, line 1: name = "" must have 1 to 40 characters.'


def test_sqlite_file_lies_in_the_home_directory_unless_named_from_the_root(tmp_path):
    settings = load(write(tmp_path, 'database_url = "sqlite:///other.db"'), NOTHING)
    assert settings.database_url == f"sqlite:///{tmp_path}/other.db"
    settings = load(write(tmp_path, 'database_url = "sqlite://"'), NOTHING)
    assert settings.database_url == f"sqlite:///{tmp_path}/run/memory/sealwright.db"
    settings = load(write(tmp_path, 'database_url = "sqlite:////var/db/seal.db"'), NOTHING)
    assert settings.database_url == "sqlite:////var/db/seal.db"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"rubbish", "is not a file of certificates in PEM"),
        (b"", "is not a file of certificates in PEM"),
        (TestAuthority().root_pem + b"-----BEGIN CERTIFICATE-----\nrubbish\n", "is not a file of certificates in PEM"),
        (TestAuthority().server()[1], "is not a file of certificates in PEM"),
    ],
    ids=["missing", "rubbish", "empty", "half", "key"],
)
def test_roots_that_cannot_be_trusted_are_refused_before_the_first_call_needs_them(tmp_path, content, problem):
    if content is not None:
        (tmp_path / "roots.pem").write_bytes(content)
    with pytest.raises(SettingsRefused) as caught:
        load(write(tmp_path, '[outbound]\nca_file = "roots.pem"'), NOTHING)
    assert caught.value.detail == f'{tmp_path}/settings.toml, line 2: outbound.ca_file = "roots.pem" {problem}.'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("workers = 1\nworkers = 2\n", "line 2: the file sets workers twice."),
        ("workers = 1\nworkers = 2", "line 2: the file sets workers twice."),
        ("[listen]\n\n[listen]\n", "line 3: the file has [listen] twice."),
        ("[a.b]\n[a.b]\n", "line 2: the file has [a.b] twice."),
    ],
)
def test_same_setting_twice_is_refused_by_its_name(text, words):
    assert refused(text).detail == f"{FILE}, {words}"


def test_file_that_is_no_text_is_told_by_its_line(tmp_path):
    (tmp_path / "settings.toml").write_bytes(b'name = "A"\ndomain = "\xff"\n')
    with pytest.raises(SettingsRefused) as caught:
        load(tmp_path, NOTHING)
    assert caught.value.detail == f"{tmp_path}/settings.toml, line 2: the file is not text in UTF-8."


def test_directory_in_the_place_of_the_file_is_told(tmp_path):
    (tmp_path / "settings.toml").mkdir()
    with pytest.raises(SettingsRefused) as caught:
        load(tmp_path, NOTHING)
    assert caught.value.detail == f"{tmp_path}/settings.toml: the file cannot be read: Is a directory."
    assert caught.value.hint


def test_file_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "settings.toml").write_bytes(b'\xef\xbb\xbfname = "A"\n')
    assert load(tmp_path, NOTHING).name == "A"
    assert line_of("name", tmp_path / "settings.toml") == 1


def test_every_refusal_says_what_to_do_next():
    assert refused("workers = -1").hint == "Correct it there. See all settings with: sealwright help settings"
    with pytest.raises(SettingsRefused) as caught:
        read_environment({"SEALWRIGHT_LOG_LEVEL": "loud"})
    assert caught.value.hint == "Unset it, or give it another value."


def test_address_without_brackets_around_ipv6_is_refused():
    assert "brackets" in refused('[listen]\npeople = "::1:8443"').detail


@pytest.mark.parametrize("listener", ["people", "machines"])
def test_public_address_that_must_be_https_is_not_taken_as_http(listener, tmp_path):
    failure = refused(f'[urls]\n{listener} = "http://id.example.org"')
    assert (failure.key, failure.line) == (f"urls.{listener}", 2)
    assert "must begin with https://" in failure.detail
    settings = load(write(tmp_path, '[urls]\nstatus = "http://id.example.org"'), NOTHING)
    assert settings.urls.status == "http://id.example.org"


def test_missing_file_names_the_home_directory(tmp_path):
    with pytest.raises(SettingsRefused, match=r"settings\.toml is missing in") as caught:
        load(tmp_path, NOTHING)
    assert "sealwright init" in caught.value.hint


def test_password_of_a_database_is_never_shown():
    failure = refused('database_url = "mysql://root:hunter2@db/x"')
    assert "hunter2" not in failure.detail
    assert (failure.key, failure.value, failure.line) == ("database_url", "", 1)
    assert "hunter2" not in repr(parse('database_url = "postgresql://root:hunter2@db/x"', FILE))
    with pytest.raises(SettingsRefused) as caught:
        read_environment({"SEALWRIGHT_DATABASE_URL": "mysql://root:hunter2@db/x"})
    assert "hunter2" not in caught.value.detail


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u:hunter2@127.0.0.1:1x/x", "names a port that is not a number from 1 to 65535"),
        ("postgresql://u:hunter2@127.0.0.1:99999/x", "names a port"),
        ("postgresql://u:hunter2@127.0.0.1:0/x", "names a port"),
        ("postgresql://u:hunter2@a.example.org:5432,b.example.org:5x/x", "names a port"),
        ("postgresql://u:hunter2@/x?host=a.example.org&port=5x", "names a port"),
        ("postgresql://u:hunter2#@a.example.org/x", "names a port"),
        ("postgresql://u:hunter2@b@a.example.org/x", "names a host"),
        ("postgresql://u:hunter2@::1/x", "names a port"),
        ("postgresql://u:hunter2@a.example.org,,b.example.org/x", "names a host"),
        ("postgresql://u:hunter2@a.example.org/x?pgbouncer=session", "has the parameter pgbouncer, which must be transaction"),
        ("postgresql://[::1/x", "must be postgresql://"),
        ("postgresql://u:hunter2@a.example.org/x?hunter2", "must be postgresql://"),
        ("sqlite:///", "names no file"),
        ("sqlite://seal.db", "must begin with"),
    ],
)
def test_database_that_no_driver_could_reach_is_refused_by_line_or_variable_without_its_password(url, words):
    failure = refused(f'name = "A"\ndatabase_url = "{url}"')
    assert (failure.key, failure.value, failure.line) == ("database_url", "", 2)
    assert words in failure.detail
    with pytest.raises(SettingsRefused, match=r"^SEALWRIGHT_DATABASE_URL ") as caught:
        read_environment({"SEALWRIGHT_DATABASE_URL": url})
    assert words in caught.value.detail
    assert "hunter2" not in failure.detail + caught.value.detail


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u@h/db",
        "postgresql://u:p%40ss%2F%3A@h:5432/db",
        "postgresql://u@[::1]:5432/db?sslmode=require",
        "postgresql://u@a.example.org:5432,b.example.org/db?target_session_attrs=read-write",
        "postgresql://u@%2Fvar%2Frun%2Fpostgresql/db",
        "postgresql://u@/db?host=/var/run/postgresql&port=5433",
        "postgresql://u@:5432/db",
        "postgresql://u@pooler:6432/db?pgbouncer=transaction",
        "postgresql:///db",
    ],
)
def test_every_way_of_naming_a_postgresql_is_taken_as_it_is(url):
    assert parse(f'database_url = "{url}"', FILE).database_url == url


def test_environment_has_the_last_word(tmp_path):
    key = bytes(range(32))
    environment = read_environment(
        {
            "SEALWRIGHT_HOME": str(tmp_path),
            "SEALWRIGHT_DATABASE_URL": "postgres://u@h/db",
            "SEALWRIGHT_KEY": base64.b64encode(key).decode() + "\n",
            "SEALWRIGHT_LOG_LEVEL": "error",
            "SEALWRIGHT_URL": "https://id.example.org/",
            "SEALWRIGHT_CA": "/etc/root.pem",
            "HOME": "/root",
        }
    )
    write(tmp_path, 'database_url = "sqlite:///other.db"\n[log]\nlevel = "info"\n')
    settings = load(None, environment)
    assert settings.home == tmp_path
    assert settings.database_url == "postgresql://u@h/db"
    assert settings.key == key
    assert settings.log.level == "error"
    assert environment.url == "https://id.example.org"
    assert environment.ca == Path("/etc/root.pem")


def test_key_is_not_shown_by_repr():
    environment = read_environment({"SEALWRIGHT_KEY": base64.b64encode(b"k" * 32).decode()})
    assert "key" not in repr(environment)
    assert "kkkk" not in repr(environment)


@pytest.mark.parametrize("value", ["short", base64.b64encode(b"k" * 31).decode(), "ä" * 44])
def test_key_in_the_environment_must_be_32_bytes_and_is_not_repeated_in_the_message(value):
    with pytest.raises(SettingsRefused, match=r"SEALWRIGHT_KEY must be 32 bytes in base64\.") as caught:
        read_environment({"SEALWRIGHT_KEY": value})
    assert value not in caught.value.detail


def test_empty_variables_count_as_not_given():
    assert read_environment({"SEALWRIGHT_HOME": "", "SEALWRIGHT_URL": ""}) == NOTHING


def test_home_directory_is_the_given_one_then_the_environment_then_the_default(tmp_path):
    assert home_directory(tmp_path / "a", Environment(home=tmp_path / "b")) == tmp_path / "a"
    assert home_directory(None, Environment(home=tmp_path / "b")) == tmp_path / "b"
    assert home_directory(None, NOTHING) == Path.home() / ".local/share/sealwright"


def test_rendered_file_sets_what_was_given_and_shows_every_default():
    given = {"name": 'A "quoted" name', "dns_names": ["ca.example.org", "::1"], "listen.people": "localhost:8444"}
    text = render(given)
    assert parse(text, FILE).name == 'A "quoted" name'
    assert tomllib.loads(text)["listen"] == {"people": "localhost:8444"}
    uncommented = "\n".join(
        line.removeprefix("# ") if line.startswith("# ") and " = " in line else line for line in text.splitlines()
    )
    everything = parse(uncommented, FILE)
    assert everything == parse(text, FILE)
    for each in declared():
        assert each.description in text
        assert f"{each.name} = " in text


def test_rendering_refuses_what_is_no_setting():
    with pytest.raises(KeyError, match=r"listen\.nobody"):
        render({"listen.nobody": "x"})


def test_every_setting_is_declared_with_a_sentence_and_a_default_that_its_form_reads():
    for each in declared():
        assert each.description[0].isupper()
        assert each.description.endswith(".")
        each.form(each.default)


UNPROTECTED = "none-and-links-can-be-read-on-the-way"
MAIL = 'from_address = "id@example.org"\n'


def password_file(home, content=b"open sesame\n", mode=0o600):
    file = home / "smtp-password"
    file.touch(mode=0o600)
    file.write_bytes(content)
    file.chmod(mode)
    return file


def test_mail_is_off_until_a_host_is_set(tmp_path):
    assert load(write(tmp_path, ""), NOTHING).mail.host == ""


@pytest.mark.parametrize(
    ("text", "port"),
    [("", 587), ('tls = "implicit"\n', 465), ("port = 2525\n", 2525)],
)
def test_port_of_mail_follows_its_tls(tmp_path, text, port):
    settings = load(write(tmp_path, f'[mail]\nhost = "smtp.example.org"\n{MAIL}{text}'), NOTHING)
    assert settings.mail.port_used == port


def test_mail_password_file_lies_in_the_home_or_where_the_environment_says(tmp_path):
    password_file(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    text = f'[mail]\nhost = "smtp.example.org"\n{MAIL}username = "id"\npassword_file = "smtp-password"\n'
    assert load(write(tmp_path, text), NOTHING).mail.password_file == tmp_path / "smtp-password"
    given = read_environment({"SEALWRIGHT_MAIL_PASSWORD_FILE": str(password_file(elsewhere))})
    assert load(tmp_path, given).mail.password_file == elsewhere / "smtp-password"
    missing = read_environment({"SEALWRIGHT_MAIL_PASSWORD_FILE": "/nonexistent"})
    with pytest.raises(SettingsRefused, match="SEALWRIGHT_MAIL_PASSWORD_FILE = /nonexistent cannot be read"):
        load(tmp_path, missing)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_mail_may_go_unprotected_to_this_machine(tmp_path, host):
    assert load(write(tmp_path, f'[mail]\nhost = "{host}"\ntls = "none"\n{MAIL}'), NOTHING).mail.port_used == 25


def test_mail_goes_unprotected_over_a_network_only_by_words_that_name_the_danger(tmp_path):
    text = f'[mail]\nhost = "smtp.example.org"\n{MAIL}tls = "{UNPROTECTED}"\n'
    assert load(write(tmp_path, text), NOTHING).mail.port_used == 25


@pytest.mark.parametrize(
    ("text", "key", "words", "line"),
    [
        (f'[mail]\nhost = "smtp.example.org"\n{MAIL}tls = "none"', "mail.tls", "read the links", 4),
        (f'[mail]\nhost = "smtp.example.org"\n{MAIL}tls = "tls"', "mail.tls", "must be starttls, implicit or none", 4),
        ('[mail]\nhost = "smtp.example.org"', "mail.host", "needs mail.from_address", 2),
        (f"[mail]\n{MAIL}", "mail.from_address", "needs mail.host", 2),
        (f'[mail]\nhost = "smtp.example.org"\n{MAIL}username = "id"', "mail.username", "needs mail.password_file", 4),
        (f'[mail]\nhost = "smtp.example.org"\n{MAIL}password_file = "p"', "mail.password_file", "needs mail.username", 4),
        ('[mail]\nfrom_address = "id@example.org\\nBcc: eve@example.org"', "mail.from_address", "on one line", 2),
        ('[mail]\nfrom_address = "Example <id@example.org>"', "mail.from_address", "quotes, spaces", 2),
        ('[mail]\nusername = "jörg"', "mail.username", "must be ASCII", 2),
        ('[mail]\nhost = "smtp example"', "mail.host", "letters, digits", 2),
        ("[mail]\nport = 65536", "mail.port", "from 0 to 65535", 2),
        (f'[mail]\nhost = "smtp.example.org"\n{MAIL}ca_file = "none.pem"', "mail.ca_file", "cannot be read", 4),
        (
            f'[mail]\nhost = "h.example.org"\n{MAIL}username = "id"\npassword_file = "p"\ntls = "{UNPROTECTED}"',
            "mail.username",
            "without TLS",
            4,
        ),
    ],
)
def test_refused_mail_settings_are_named_with_their_line(tmp_path, text, key, words, line):
    with pytest.raises(SettingsRefused) as caught:
        load(write(tmp_path, text), NOTHING)
    assert (caught.value.key, caught.value.line) == (key, line)
    assert words in caught.value.detail


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (b"open sesame\n", 0o604, "can be read or changed by others (mode 0604)"),
        (b"", 0o600, "must hold one line"),
        (b"one\ntwo\n", 0o600, "must hold one line"),
        (b"x" * 1_025, 0o600, "must hold one line"),
        ("schlüssel".encode(), 0o600, "not ASCII"),
        (b"\xff", 0o600, "must hold one line"),
    ],
)
def test_mail_password_is_one_line_that_no_one_else_reads(tmp_path, content, mode, words):
    password_file(tmp_path, content, mode)
    text = f'[mail]\nhost = "smtp.example.org"\n{MAIL}username = "id"\npassword_file = "smtp-password"\n'
    with pytest.raises(SettingsRefused) as caught:
        load(write(tmp_path, text), NOTHING)
    assert (caught.value.key, caught.value.line) == ("mail.password_file", 5)
    assert words in caught.value.detail
    assert content == b"" or content.decode(errors="replace").strip() not in caught.value.detail
