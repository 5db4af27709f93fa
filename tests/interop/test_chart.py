"""The Helm chart: rendered by `helm`, read as Kubernetes does, and run with the program that the container image has.

A pod is played by its commands and environment in a mount namespace of their own: nothing can be written but what the manifest
mounts for writing, and no capability is left.
"""

import base64
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from sealwright.settings import ENVIRONMENT, load, read_environment
from tests.documentation.pages import blocks
from tests.interop.client_programs import require
from tests.interop.test_live_postgresql import empty_database
from tests.live import PATIENCE, TOOLS, end, free_ports, wait_until

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "sealwright"
CONTAINERFILE = (ROOT / "deploy" / "Containerfile").read_text()
PAGE = ROOT / "docs" / "howto" / "kubernetes.md"
HOME = "/var/lib/sealwright"
MOUNTED = "/etc/sealwright"
KEY = base64.b64encode(bytes(range(32))).decode()
EXAMPLES = {each.stem: yaml.safe_load(each.read_text()) for each in sorted((CHART / "examples").glob("*.yaml"))}
OF_THE_PAGE = [yaml.safe_load(block.text) for block in blocks(PAGE) if block.language == "yaml"]
DOCUMENTED = [*EXAMPLES.values(), *OF_THE_PAGE]


def helm(*arguments, values, place):
    require((TOOLS / "helm").exists(), "scripts/install-go-clients")
    file = place / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    command = [TOOLS / "helm", *arguments, "--kube-version", "1.30.0", "--values", file]
    homes = {f"HELM_{kind}_HOME": str(place / kind) for kind in ("CACHE", "CONFIG", "DATA")}
    return subprocess.run(command, env={"PATH": os.environ["PATH"], **homes}, capture_output=True, text=True, check=False)


def manifests(values, place):
    done = helm("template", "id", CHART, "--namespace", "auth", values=values, place=place)
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(values, place):
    return {each["kind"]: each for each in yaml.safe_load_all(manifests(values, place))}


def workload(found):
    return found.get("StatefulSet") or found["Deployment"]


@pytest.mark.parametrize("values", DOCUMENTED)
def test_chart_lints_and_renders_what_kubernetes_reads_with_every_documented_set_of_values(values, tmp_path):
    done = helm("lint", "--strict", CHART, values=values, place=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    read = [TOOLS / "kubernetes-manifests"]
    lines = subprocess.run(read, input=manifests(values, tmp_path), capture_output=True, text=True, check=True).stdout
    kinds = {json.loads(line).get("kind") or line for line in lines.splitlines()}
    assert kinds - {"PodDisruptionBudget", "StatefulSet", "Deployment"} == {"ConfigMap", "Service"}


def test_reader_of_manifests_refuses_what_kubernetes_does_not_know(tmp_path):
    text = manifests(EXAMPLES["volume"], tmp_path)
    for changed in (text.replace("failureThreshold", "failThreshold"), text.replace("apps/v1", "apps/v9")):
        lines = subprocess.run([TOOLS / "kubernetes-manifests"], input=changed, capture_output=True, text=True, check=True).stdout
        assert any("wrong" in json.loads(line) for line in lines.splitlines())


@pytest.mark.parametrize("values", DOCUMENTED)
def test_server_reads_the_settings_of_the_chart_and_they_agree_with_ports_and_names(values, tmp_path):
    found = objects(values, tmp_path)
    secrets = {"SEALWRIGHT_KEY": KEY, "SEALWRIGHT_DATABASE_URL": "postgresql://sealwright@db.example.org/sealwright"}
    pod = workload(found)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (tmp_path / "settings.toml").write_text(found["ConfigMap"]["data"]["settings.toml"])
    settings = load(tmp_path, read_environment(environment(container, secrets)))
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    service = {each["targetPort"]: each["port"] for each in found["Service"]["spec"]["ports"]}
    assert service.keys() == ports.keys() == {"people", "machines", "status"}
    for listener, port in ports.items():
        assert getattr(settings.listen, listener).port == port
        _, _, outside = getattr(settings.urls, listener).partition("://")
        assert outside in (f"{values['host']}:{service[listener]}", values["host"])
    assert {values["host"], "id.auth.svc", "localhost"} <= set(settings.dns_names)
    assert settings.database_url.startswith("postgresql://") == (values.get("storage", {}).get("kind") == "postgresql")
    assert found["Service"]["spec"]["selector"].items() <= workload(found)["spec"]["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize("values", DOCUMENTED)
def test_pod_has_the_user_the_home_and_the_command_of_the_image_and_no_rights(values, tmp_path):
    pod = workload(objects(values, tmp_path))["spec"]["template"]["spec"]
    assert f"USER {pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}\n" in CONTAINERFILE
    assert f"SEALWRIGHT_HOME={HOME}\n" in CONTAINERFILE
    assert 'ENTRYPOINT ["sealwright"]' in CONTAINERFILE
    assert pod["automountServiceAccountToken"] is False
    for container in (*pod["initContainers"], *pod["containers"]):
        assert {each["name"] for each in container["env"]} <= ENVIRONMENT.keys()
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
    stops_after = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert pod["terminationGracePeriodSeconds"] >= int(stops_after[1]) + 20 + 10


def keys_of(document, schema, path=""):
    """Every value that the chart has, and whether the schema describes it."""
    for name, value in document.items():
        described = schema["properties"].get(name)
        yield f"{path}{name}", described is not None
        if isinstance(value, dict) and described and described.get("additionalProperties") is False:
            yield from keys_of(value, described, f"{path}{name}.")


def test_every_value_is_in_the_schema_and_has_words(tmp_path):
    text = (CHART / "values.yaml").read_text()
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert [name for name, described in keys_of(yaml.safe_load(text), schema) if not described] == []
    assert schema["properties"].keys() - {"global"} == yaml.safe_load(text).keys()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"host": ""}, "/host"),
        ({"replica": 2}, "replica"),
        ({"replicas": 2}, "/replicas"),
        ({"storage": {"kind": "postgresql"}}, "/secretName"),
        ({"storage": {"kind": "files"}}, "/storage/kind"),
        ({"settings": {"listen": {"people": "0.0.0.0:1"}}}, "/settings/listen"),
        ({"settings": {"database_url": "sqlite://"}}, "/settings/database_url"),
        ({"listen": {"people": 443}}, "/listen/people"),
        ({"mountedSecrets": {"../web": "web"}}, "'../web' not allowed"),
    ],
)
def test_values_that_would_not_work_are_refused_by_name(changed, words, tmp_path):
    done = helm("template", "id", CHART, values={"host": "id.example.org"} | changed, place=tmp_path)
    assert done.returncode != 0
    assert words in done.stderr


def test_numbers_and_signs_of_values_reach_the_settings_as_they_are(tmp_path):
    password = tmp_path / "password"
    password.write_text("secret\n")
    password.chmod(0o400)
    mail = {"host": "mail.example.org", "port": 2525, "from_address": "id@example.org"}
    mail |= {"username": "id", "password_file": str(password)}
    given = {"mail": mail, "accounts": {"edit_own_mail": True}, "contact": 'Ask "Ann" <&> \\ Zoë'}
    found = objects({"host": "id.example.org", "settings": given}, tmp_path)
    (tmp_path / "settings.toml").write_text(found["ConfigMap"]["data"]["settings.toml"])
    settings = load(tmp_path, read_environment({}))
    assert (settings.mail.port, settings.accounts.edit_own_mail, settings.contact) == (2525, True, given["contact"])


# --- what the pod does -----------------------------------------------------------------------------------------------


def environment(container, secrets):
    """The variables of a container, as Kubernetes fills them in."""
    return {
        each["name"]: each["value"] if "value" in each else secrets[each["valueFrom"]["secretKeyRef"]["key"]]
        for each in container["env"]
    }


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A directory with what the Containerfile's first stage makes, by its own commands; returns where its programs are."""
    place = tmp_path_factory.mktemp("image")
    stage = CONTAINERFILE.partition("\nFROM ")[2].partition("\nFROM ")[0].replace("/opt/sealwright", str(place / "made"))
    variables = dict(re.findall(r"(PIP_\w+)=(\S+)", stage))
    for instruction, rest in re.findall(r"^(COPY|RUN) ((?:.*\\\n)*.+)$", stage, re.MULTILINE):
        if instruction == "COPY":
            *sources, _ = rest.split()
            subprocess.run(["cp", "-r", *sources, place], cwd=ROOT, check=True)
        else:
            command = rest.replace("\\\n", " ")
            python = {"PATH": f"{Path(sys.executable).resolve().parent}:{os.environ['PATH']}", "HOME": str(place)}
            done = subprocess.run(
                ["sh", "-c", command], cwd=place, env=python | variables, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{command}\n{done.stderr}"
    return place / "made" / "bin"


class Pod:
    """A pod of the chart on this machine: its volumes are directories."""

    def __init__(self, values, place, image, secrets, *, ports):
        people, machines, status = ports
        listen = {"address": "127.0.0.1", "people": people, "machines": machines, "status": status}
        found = objects(values | {"listen": listen}, place)
        self._place, self._image, self._secrets = place, image, secrets
        self._pod = workload(found)["spec"]["template"]["spec"]
        (self._init,), (self.container,) = self._pod["initContainers"], self._pod["containers"]
        for name in ("home", "scratch", "mounted/settings"):
            (place / name).mkdir(parents=True, exist_ok=True)
        (place / "mounted" / "settings" / "settings.toml").write_text(self._here(found["ConfigMap"]["data"]["settings.toml"]))
        self.log = place / "log"
        self.root = place / "home" / "certs" / "root_ca.crt"

    def _here(self, text):
        return text.replace(HOME, str(self._place / "home")).replace(MOUNTED, str(self._place / "mounted"))

    def _alone(self, container, command):
        """The command with nothing writable but the volumes that this container has for writing, and without capabilities."""
        volumes = {HOME: self._place / "home", "/tmp": self._place / "scratch", "/dev/shm": Path("/dev/shm")}
        writable = [each["mountPath"] for each in container["volumeMounts"] if not each.get("readOnly")]
        binds = [f'mount --bind "{volumes[path]}" "{volumes[path]}"' for path in writable]
        script = "; ".join([*binds, "mount -o remount,ro,bind /", 'exec setpriv --bounding-set=-all --no-new-privs "$@"'])
        variables = environment(container, self._secrets) | {"TMPDIR": str(self._place / "scratch")}
        path = f"{self._image}:/usr/bin:/bin"
        return {
            "args": ["unshare", "--mount", "sh", "-euc", script, "sh", *map(self._here, command)],
            "env": {name: self._here(value) for name, value in variables.items()}
            | {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            "cwd": "/",
        }

    def prepare(self):
        """The init container."""
        done = subprocess.run(
            **self._alone(self._init, self._init["command"]), capture_output=True, text=True, check=False, timeout=2 * PATIENCE
        )
        assert done.returncode == 0, done.stdout + done.stderr

    @contextmanager
    def running(self):
        """The container itself, until its startup probe has succeeded and then as long as the block runs."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                **self._alone(self.container, ["sealwright", *self.container["args"]]), stdout=log, stderr=log
            )
        try:
            wait_until(lambda: process.poll() is not None or self.probe("startupProbe"), "the startup probe")
            assert process.poll() is None, self.log.read_text()
            yield process
        finally:
            if process.poll() is None:
                end(process)

    def probe(self, name):
        """Whether a probe of the container succeeds, asked as the kubelet asks."""
        ports = {each["name"]: each["containerPort"] for each in self.container["ports"]}
        probe = self.container[name]
        if "tcpSocket" in probe:
            with socket.create_connection(("127.0.0.1", ports[probe["tcpSocket"]["port"]]), timeout=probe["timeoutSeconds"]):
                return True
        address = f"http://127.0.0.1:{ports[probe['httpGet']['port']]}{probe['httpGet']['path']}"
        try:
            with urllib.request.urlopen(address, timeout=probe["timeoutSeconds"]) as answer:
                return bool(answer.status < 400)
        except OSError:
            return False

    def port(self, name):
        return next(each["containerPort"] for each in self.container["ports"] if each["name"] == name)


def verified_name(pod, name):
    """Whether a client that trusts the root reaches the pod by this name."""
    context = ssl.create_default_context(cafile=str(pod.root))
    with (
        socket.create_connection(("127.0.0.1", pod.port("machines")), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=name) as secured,
    ):
        return secured.version() is not None


@pytest.mark.parametrize("kind", ["volume", "memory"])
def test_pod_starts_on_a_read_only_file_system_and_starts_again(kind, image, tmp_path):
    pod = Pod(EXAMPLES[kind], tmp_path, image, {"SEALWRIGHT_KEY": KEY}, ports=free_ports(3))
    pod.prepare()
    root = pod.root.read_bytes()
    with pod.running() as process:
        assert [pod.probe(each) for each in ("startupProbe", "readinessProbe", "livenessProbe")] == [True, True, True]
        assert all(verified_name(pod, name) for name in (EXAMPLES[kind]["host"], "id.auth.svc", "localhost"))
        assert ("SQLite in memory" in pod.log.read_text()) == (kind == "memory")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    pod.prepare()
    assert pod.root.read_bytes() == root
    with pod.running():
        assert pod.probe("readinessProbe")
    assert (tmp_path / "home" / "secrets").exists() == (kind == "memory"), "a key of the Secret lies on no volume"


def test_replicas_on_postgresql_share_their_authority(image, tmp_path, postgresql_url):
    with empty_database(postgresql_url) as url:
        secrets = {"SEALWRIGHT_KEY": KEY, "SEALWRIGHT_DATABASE_URL": url}
        values = EXAMPLES["postgresql"] | {"workers": 1, "host": "localhost"}
        pods = []
        for number in (1, 2):
            place = tmp_path / f"pod-{number}"
            web = place / "mounted" / "secrets" / "web"
            web.mkdir(parents=True)
            pod = Pod(values, place, image, secrets, ports=free_ports(3))
            make = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost"]
            names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", web / "tls.key", "-out", web / "tls.crt"]
            subprocess.run(["openssl", *make, *names], check=True, capture_output=True)
            pod.prepare()
            pods.append(pod)
        assert pods[0].root.read_bytes() == pods[1].root.read_bytes()
        with pods[0].running(), pods[1].running():
            assert all(pod.probe("readinessProbe") for pod in pods)
            shown = ssl.get_server_certificate(("127.0.0.1", pods[1].port("people")))
            assert shown.split() == (tmp_path / "pod-2" / "mounted" / "secrets" / "web" / "tls.crt").read_text().split()
