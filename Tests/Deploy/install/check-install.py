#!/usr/bin/env python3
"""scripts/install.sh against a docker that starts nothing, under a PATH whose tools refuse what only GNU's know.

Each function named `test_…` is one sentence about the installer. Names given as arguments run only those.
"""
import concurrent.futures
import hashlib
import json
import os
import pty
import pwd
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import traceback

import yaml

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(f"{HERE}/../../..")
BASE = tempfile.mkdtemp(prefix="aragora-install-")
TOOLS = """awk cat chmod chown cut date df dirname find grep head hostname id ls mkdir mktemp mv openssl rm sed sleep stty
tail tr uname wc""".split()
SECRETS = {"POSTGRES_PASSWORD": 48, "REDIS_PASSWORD": 48, "ARAGORA_JWT_SECRET": 64, "ARAGORA_API_TOKEN": 64,
           "ARAGORA_ENCRYPTION_KEY": 64, "ARAGORA_RECEIPT_SIGNING_KEY": 64, "GRAFANA_PASSWORD": 32}
IMAGE, BACKUP_IMAGE = "ghcr.io/an0mium/aragora:latest", "ghcr.io/an0mium/aragora-backup:latest"
RUN_SECONDS = 60
# Most of a run is waiting for small programs to start.
AT_ONCE = 4


class Checkout:
    """A checkout in a folder with a blank and a quote in its name, a docker, and what they were asked."""

    def __init__(self, certificate=True, template=None):
        self.base = tempfile.mkdtemp(dir=BASE)
        os.chmod(self.base, 0o755)
        self.root = f"{self.base}/it's a checkout"
        os.makedirs(f"{self.root}/deploy")
        os.makedirs(f"{self.root}/scripts")
        shutil.copytree(f"{ROOT}/scripts/lib", f"{self.root}/scripts/lib")
        shutil.copy(f"{ROOT}/scripts/install.sh", f"{self.root}/scripts/install.sh")
        self.write("deploy/docker-compose.production.yml", "services: {}\n")
        self.write("deploy/.env.template", template or open(f"{ROOT}/deploy/.env.template").read())
        if certificate:
            os.makedirs(f"{self.root}/deploy/nginx/certs")
            for name in ("server.crt", "server.key"):
                shutil.copy(f"{BASE}/{name}", f"{self.root}/deploy/nginx/certs/{name}")
        self.docker = f"{self.base}/docker state"
        os.makedirs(self.docker, 0o777)
        os.chmod(self.docker, 0o777)
        self.tools = f"{self.base}/tools"
        os.makedirs(self.tools)
        for tool in TOOLS:
            os.symlink(f"{HERE}/tool-without-extensions.sh", f"{self.tools}/{tool}")
        os.unlink(f"{self.tools}/openssl")
        self.tool("openssl", f'#!/bin/sh\nprintf "%s\\n" "openssl $*" >>"$FAKE_DOCKER/tools"\nexec {shutil.which("openssl")} "$@"\n')
        os.symlink(f"{HERE}/fake-docker.py", f"{self.tools}/docker")
        self.scenario()
        self.environment = {}
        # Ports that nobody holds, so that the machine's own servers do not matter.
        for name in ("ARAGORA_HTTP_PORT", "ARAGORA_HTTPS_PORT", "ARAGORA_LOCAL_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT",
                     "GRAFANA_PORT", "JAEGER_PORT"):
            self.environment[name] = str(free_port())

    def scenario(self, **changes):
        state = {"version": "Docker version 25.0.3, build 4debf41", "compose_plugin": True, "compose_version": "v2.24.6",
                 "memory": 8 << 30, "security": "[name=seccomp,profile=builtin]", "info": [0, ""], "pull": [0, ""],
                 "build": [0, ""], "up": [0, ""], "exec": [0, ""], "images": [], "volumes": [], "owners": {}, "states": {},
                 "replicas": {}, "started": False, "running_before": [],
                 "image_of": {"aragora": IMAGE, "backup": BACKUP_IMAGE}}
        state.update(changes)
        self.write_state(state)

    def write_state(self, state):
        with open(f"{self.docker}/state.json", "w") as file:
            json.dump(state, file)
        os.chmod(f"{self.docker}/state.json", 0o666)

    def tool(self, name, text):
        path = f"{self.tools}/{name}"
        if os.path.lexists(path):
            os.unlink(path)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o755)

    def write(self, name, text, mode=0o644):
        with open(f"{self.root}/{name}", "w", newline="") as file:
            file.write(text)
        os.chmod(f"{self.root}/{name}", mode)

    def read(self, name):
        with open(f"{self.root}/{name}", newline="") as file:
            return file.read()

    def variables(self, extra=None):
        return {"PATH": self.tools, "HOME": self.base, "FAKE_DOCKER": self.docker, "LC_ALL": "C", "TMPDIR": self.base,
                "POSIXLY_CORRECT": "1", "ARAGORA_INSTALL_POLL": "0.02", **self.environment, **(extra or {})}

    def start(self, *arguments, environment=None, stdin=subprocess.DEVNULL, **more):
        return subprocess.Popen(["/bin/bash", "scripts/install.sh", *arguments], cwd=self.root,
                                env=self.variables(environment), stdin=stdin, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **more)

    def run(self, *arguments, expect=0, **more):
        process = self.start(*arguments, **more)
        self.out, self.err = process.communicate(timeout=RUN_SECONDS)
        self.said = self.out + self.err
        assert process.returncode == expect, f"exit code {process.returncode}, expected {expect}:\n{self.said}"
        assert "not understood by BSD" not in self.said, self.said
        assert "command not found" not in self.said or expect, self.said
        assert not self.unfinished(), self.unfinished()
        if expect not in (0, 64, 75):
            assert "Next: " in self.said, f"does not say what to do next:\n{self.said}"
        self.keeps_secrets()

    def unfinished(self):
        return [name for name in self.files() if "unfinished" in name or ".install.lock" in name]

    def files(self):
        return sorted(os.path.relpath(f"{folder}/{name}", self.root) for folder, _, names in os.walk(f"{self.root}/deploy")
                      for name in names)

    def sums(self):
        return {name: (hashlib.sha256(open(f"{self.root}/{name}", "rb").read()).hexdigest(),
                       os.lstat(f"{self.root}/{name}").st_mode, os.lstat(f"{self.root}/{name}").st_mtime_ns)
                for name in self.files()}

    def settings(self, name="deploy/.env"):
        lines = [line.rstrip("\r") for line in self.read(name).split("\n")]
        return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_0-9]+=", line))

    def calls(self):
        try:
            with open(f"{self.docker}/calls") as file:
                return [json.loads(line) for line in file]
        except FileNotFoundError:
            return []

    def compose_calls(self):
        """The commands given to Compose, without its options."""
        found = []
        for call in self.calls():
            if call[0] == "docker-compose":
                rest = call[1:]
            elif call[1:2] == ["compose"]:
                rest = call[2:]
            else:
                continue
            while rest and rest[0] in ("--profile", "-f", "--env-file"):
                rest = rest[2:]
            found.append(rest)
        return found

    def forget_calls(self):
        for name in ("calls", "tools", "environment"):
            if os.path.exists(f"{self.docker}/{name}"):
                os.unlink(f"{self.docker}/{name}")

    def keeps_secrets(self):
        """No secret was printed, or handed to any program as an argument."""
        told = self.said
        for name in ("calls", "tools"):
            if os.path.exists(f"{self.docker}/{name}"):
                with open(f"{self.docker}/{name}") as file:
                    told += file.read()
        for name in self.files():
            if not re.match(r"deploy/\.env(?!\.template)", name) or not os.path.exists(f"{self.root}/{name}"):
                continue
            for key, value in self.settings(name).items():
                if (key in SECRETS or key.endswith("_API_KEY") or key.endswith("_PREVIOUS")) and len(value) >= 8:
                    assert value not in told, f"{key} was told"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True).stdout


# --- a first run ---------------------------------------------------------------------------------------------------

def test_a_first_run_configures_starts_waits_and_says_where_it_is():
    c = Checkout(certificate=False)
    c.scenario(states={"aragora": ["starting|running|0", "healthy|running|0"]}, replicas={"ws-gateway": 2})
    c.run()
    settings = c.settings()
    for name, length in SECRETS.items():
        assert re.fullmatch(f"[0-9a-f]{{{length}}}", settings[name]), name
    assert len({settings[name] for name in SECRETS}) == len(SECRETS), "two secrets are the same"
    assert settings["ARAGORA_DEMO_FALLBACK"] == "true"
    assert "CHANGEME" not in re.sub("#.*", "", c.read("deploy/.env"))
    assert mode(f"{c.root}/deploy/.env") == 0o600
    commands = [" ".join(call) for call in c.compose_calls() if call[0] not in ("ps", "version")]
    assert commands == ["pull aragora", "up -d"], commands
    for service in ("postgres", "redis", "aragora", "ws-gateway", "nginx"):
        assert re.search(rf"ok +{service}: healthy", c.err), service
    assert "waiting  aragora: starting" in c.err
    port = c.environment["ARAGORA_HTTPS_PORT"]
    assert f"https://localhost:{port}/" in c.err
    assert "/grafana/" not in c.err
    # What the template says beside the values is still there.
    assert [line for line in c.read("deploy/.env").split("\n") if line.startswith("# ")] == \
        [line for line in c.read("deploy/.env.template").split("\n") if line.startswith("# ")]


def test_the_certificate_is_what_the_guide_says():
    c = Checkout(certificate=False)
    c.run("--no-start", environment={"ARAGORA_DOMAIN": "aragora.corp.test"})
    certificate, key = (f"{c.root}/deploy/nginx/certs/server.{end}" for end in ("crt", "key"))
    assert mode(key) == 0o600 and mode(certificate) == 0o644 and mode(os.path.dirname(key)) == 0o755
    text = openssl("x509", "-in", certificate, "-noout", "-text")
    assert "Public-Key: (2048 bit)" in text and "sha256WithRSAEncryption" in text
    for name in ("DNS:localhost", "DNS:aragora.corp.test", "IP Address:127.0.0.1", "CA:FALSE"):
        assert name in text, name
    assert openssl("x509", "-in", certificate, "-noout", "-pubkey") == openssl("pkey", "-in", key, "-pubout")
    assert "not expire" in openssl("x509", "-in", certificate, "-noout", "-checkend", str(364 * 86400))
    late = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-checkend", str(366 * 86400)], capture_output=True)
    assert late.returncode == 1


def test_a_second_run_changes_nothing():
    c = Checkout(certificate=False)
    c.run("--profile", "workers", "--profile", "backup")
    before = c.sums()
    c.forget_calls()
    c.run()
    assert c.sums() == before
    assert [call[0] for call in c.compose_calls() if call[0] not in ("ps", "version")] == ["up"]
    # It starts what was chosen the first time.
    up = next(call for call in c.calls() if "up" in call)
    assert [up[n + 1] for n, word in enumerate(up) if word == "--profile"] == ["backup", "workers"], up
    assert "kept as it is" in c.err


def test_the_quick_start_that_is_printed_sends_the_token():
    c = Checkout()
    c.run()
    c.tool("curl", '#!/bin/sh\nfor argument in "$@"; do echo "$argument"; done\n')
    sent = subprocess.run(["/bin/bash", "-c", c.out], cwd=c.root, env=c.variables(), capture_output=True, text=True, check=True)
    assert f"Authorization: Bearer {c.settings()['ARAGORA_API_TOKEN']}\n" in sent.stdout, sent
    assert f"https://localhost:{c.environment['ARAGORA_HTTPS_PORT']}/api/v1/debates\n" in sent.stdout


def test_no_start_writes_files_and_starts_nothing():
    c = Checkout(certificate=False)
    c.run("--no-start")
    assert {"deploy/.env", "deploy/nginx/certs/server.crt", "deploy/nginx/certs/server.key"} <= set(c.files())
    assert not [call for call in c.compose_calls() if call[0] in ("up", "pull", "build")]
    assert "docker compose -f deploy/docker-compose.production.yml up -d" in c.err


# --- arguments -----------------------------------------------------------------------------------------------------

def test_help_names_every_option_and_changes_nothing():
    for option in ("-h", "--help"):
        c = Checkout(certificate=False)
        c.run(option)
        for name in ("--no-start", "--profile", "--force-env", "--skip-prereqs", "Exit codes"):
            assert name in c.out, name
        assert c.files() == ["deploy/.env.template", "deploy/docker-compose.production.yml"]


def test_wrong_arguments_are_refused_before_anything_happens():
    for arguments in (["--bogus"], ["--profile"], ["--profile", "bogus"], ["--profile", ""], ["--profile=work"], ["start"],
                      ["--profile", "monitoring workers"]):
        c = Checkout(certificate=False)
        c.run(*arguments, expect=64)
        assert c.files() == ["deploy/.env.template", "deploy/docker-compose.production.yml"]
        assert not c.calls()
    c = Checkout(certificate=False)
    c.run(expect=64, environment={"ARAGORA_INSTALL_TIMEOUT": "soon"})
    assert c.files() == ["deploy/.env.template", "deploy/docker-compose.production.yml"]


def test_profiles_are_remembered_and_added_up():
    c = Checkout()
    c.run("--profile", "monitoring", "--profile=workers", "--profile", "monitoring")
    assert c.settings()["COMPOSE_PROFILES"] == "monitoring,workers"
    assert "/grafana/" in c.err and f"http://127.0.0.1:{c.environment['PROMETHEUS_PORT']}" in c.err
    assert re.search("ok +debate-worker: healthy", c.err)
    secrets = c.settings()
    c.run("--profile", "backup")
    assert c.settings()["COMPOSE_PROFILES"] == "monitoring,workers,backup"
    assert {**secrets, "COMPOSE_PROFILES": ""} == {**c.settings(), "COMPOSE_PROFILES": ""}
    assert re.search("ok +backup: healthy", c.err)
    assert ["pull", "backup"] in c.compose_calls()


# --- settings ------------------------------------------------------------------------------------------------------

def test_force_env_makes_new_secrets_and_keeps_the_old_file():
    c = Checkout()
    c.run("--no-start", environment={"ANTHROPIC_API_KEY": "sk-ant-abcdefgh"})
    old_text, old = c.read("deploy/.env"), c.settings()
    c.run("--no-start", "--force-env")
    kept = [name for name in c.files() if ".env.backup-" in name]
    assert len(kept) == 1 and re.search(r"\.env\.backup-20\d{6}-\d{6}$", kept[0]), kept
    assert c.read(kept[0]) == old_text and mode(f"{c.root}/{kept[0]}") == 0o600
    new = c.settings()
    assert not {old[name] for name in SECRETS} & {new[name] for name in SECRETS}
    assert new["ANTHROPIC_API_KEY"] == "sk-ant-abcdefgh"
    assert new["ARAGORA_RECEIPT_SIGNING_KEY_PREVIOUS"] == old["ARAGORA_RECEIPT_SIGNING_KEY"]
    c.run("--no-start", "--force-env")
    assert len([name for name in c.files() if ".env.backup-" in name]) == 2


def test_force_env_changes_the_password_of_a_database_that_exists():
    c = Checkout()
    c.scenario(volumes=["aragora_postgres-data"])
    c.run("--no-start")
    c.run("--no-start", "--force-env")
    assert "keeps the database's old password" in c.err
    line = re.search("Next, when the services run: (.*)", c.err).group(1)
    # The line that is printed can be pasted.
    subprocess.run(["/bin/bash", "-c", line], cwd=c.root, env=c.variables(), check=True, capture_output=True)
    assert "ALTER ROLE CURRENT_USER PASSWORD :'p';" in open(f"{c.docker}/stdin").read()
    c.forget_calls()
    c.run("--force-env")
    commands = [call for call in c.compose_calls() if call[0] in ("up", "exec")]
    assert commands[0] == ["up", "-d", "postgres"] and commands[1][:3] == ["exec", "-T", "postgres"], commands
    assert commands[2] == ["up", "-d"], commands
    told = open(f"{c.docker}/stdin").read()
    assert told == "\\getenv password POSTGRES_PASSWORD\nALTER ROLE CURRENT_USER PASSWORD :'password';\n", told
    c.scenario(volumes=["aragora_postgres-data"], exec=[1, "psql: error"])
    c.run("--force-env", expect=50)


def test_a_provider_key_of_the_environment_is_taken():
    c = Checkout()
    c.run("--no-start", environment={"OPENAI_API_KEY": "sk-proj-abc_DEF-123.x", "XAI_API_KEY": "has a blank"})
    assert c.settings()["OPENAI_API_KEY"] == "sk-proj-abc_DEF-123.x"
    assert c.settings()["XAI_API_KEY"] == ""
    assert "ARAGORA_DEMO_FALLBACK" not in c.settings()
    assert "has a blank" not in c.said


def test_a_key_that_came_later_is_taken_into_a_file_without_one():
    c = Checkout()
    c.run("--no-start")
    c.run("--no-start", environment={"ANTHROPIC_API_KEY": "sk-ant-abcdefgh"})
    assert c.settings()["ANTHROPIC_API_KEY"] == "sk-ant-abcdefgh"
    c.run("--no-start", environment={"ANTHROPIC_API_KEY": "sk-ant-another-one"})
    assert c.settings()["ANTHROPIC_API_KEY"] == "sk-ant-abcdefgh"


def test_secrets_that_a_shell_happens_to_export_do_not_win_over_the_file():
    c = Checkout()
    c.run(environment={"POSTGRES_PASSWORD": "stray", "ARAGORA_API_TOKEN": "stray", "COMPOSE_PROFILES": "stray"})
    assert "stray" not in c.read("deploy/.env")
    calls = [json.loads(line) for line in open(f"{c.docker}/environment")]
    assert {"up", "pull", "ps"} <= {command for command, _ in calls}
    for _, environment in calls:
        assert not {"POSTGRES_PASSWORD", "ARAGORA_API_TOKEN", "COMPOSE_PROFILES"} & set(environment)


def test_an_existing_file_is_only_filled_where_it_is_empty():
    c = Checkout()
    text = ("# mine\nPOSTGRES_PASSWORD='kept as # it is'\nREDIS_PASSWORD=CHANGEME\nARAGORA_JWT_SECRET=\n"
            "ARAGORA_RECEIPT_SIGNING_KEY=abc # a remark\nMY_OWN=1\n\nARAGORA_ENCRYPTION_KEY=CHANGEME_ENCRYPTION_KEY\n"
            "GRAFANA_PASSWORD=\"quoted\"\nOPENAI_API_KEY=sk-mine-12345\n")
    c.write("deploy/.env", text, 0o600)
    c.run("--no-start")
    lines, now = text.split("\n"), c.read("deploy/.env").split("\n")
    for number, line in enumerate(lines[:-1]):
        if line.startswith(("REDIS", "ARAGORA_JWT", "ARAGORA_ENC")):
            assert re.fullmatch(line.split("=")[0] + "=[0-9a-f]{48,64}", now[number]), now[number]
        else:
            assert now[number] == line, now[number]
    assert re.fullmatch("ARAGORA_API_TOKEN=[0-9a-f]{64}", now[len(lines) - 1])
    kept = [name for name in c.files() if ".env.backup-" in name]
    assert len(kept) == 1 and c.read(kept[0]) == text
    before = c.sums()
    c.run("--no-start")
    assert c.sums() == before


def test_a_file_with_windows_line_ends_is_read_and_left_so():
    c = Checkout()
    c.run("--no-start")
    text = c.read("deploy/.env").replace("\n", "\r\n")
    c.write("deploy/.env", text, 0o600)
    c.run("--no-start")
    assert c.read("deploy/.env") == text and "Windows line ends" in c.err
    c.run("--no-start", "--profile", "workers")
    changed = set(c.read("deploy/.env").split("\n")) - set(text.split("\n"))
    assert {line.rstrip("\r") for line in changed} == {"COMPOSE_PROFILES=workers"}, changed
    # The command that it tells makes it a good one.
    command = re.search("Next: (tr -d .*)", c.err).group(1)
    subprocess.run(["/bin/bash", "-c", command], cwd=c.root, check=True)
    assert "\r" not in c.read("deploy/.env") and mode(f"{c.root}/deploy/.env") == 0o600
    c.run("--no-start")
    assert "Windows" not in c.err


def test_a_template_with_windows_line_ends_makes_a_good_file():
    c = Checkout()
    c.write("deploy/.env.template", c.read("deploy/.env.template").replace("\n", "\r\n"))
    c.run("--no-start")
    assert "\r" not in c.read("deploy/.env")
    assert re.fullmatch("[0-9a-f]{64}", c.settings()["ARAGORA_API_TOKEN"])


def test_a_template_whose_last_line_does_not_end_is_read_whole():
    c = Checkout(template="POSTGRES_PASSWORD=CHANGEME\nREDIS_PASSWORD=CHANGEME")
    c.run("--no-start")
    assert len(c.settings()["REDIS_PASSWORD"]) == 48 and len(c.settings()["ARAGORA_API_TOKEN"]) == 64


def test_a_missing_template_is_told():
    c = Checkout()
    os.unlink(f"{c.root}/deploy/.env.template")
    c.run("--no-start", expect=20)
    assert not os.path.exists(f"{c.root}/deploy/.env")
    c.write("deploy/.env", "", 0o600)
    c.run("--no-start", "--force-env", expect=20)


def test_a_placeholder_that_nobody_fills_is_refused():
    c = Checkout()
    c.write("deploy/.env.template", c.read("deploy/.env.template") + "NEW_SECRET=CHANGEME\n")
    c.run("--no-start", expect=20)
    assert "NEW_SECRET" in c.err and not os.path.exists(f"{c.root}/deploy/.env")


def test_a_file_that_others_could_read_is_closed():
    c = Checkout()
    c.run("--no-start")
    os.chmod(f"{c.root}/deploy/.env", 0o644)
    c.run("--no-start")
    assert mode(f"{c.root}/deploy/.env") == 0o600


def test_a_disk_without_modes_is_told():
    c = Checkout()
    # Like a Windows disk under WSL2: everything is open, and chmod says yes and does nothing.
    c.tool("chmod", "#!/bin/sh\nexit 0\n")
    c.tool("ls", "#!/bin/sh\necho '-rwxrwxrwx 1 a a 1 Jan 1 00:00 x'\n")
    c.run("--no-start")
    assert "the disk keeps no modes" in c.err and "now 0600" not in c.err, c.err


def test_a_link_stays_a_link():
    c = Checkout()
    c.run("--no-start")
    os.rename(f"{c.root}/deploy/.env", f"{c.base}/elsewhere")
    os.symlink(f"{c.base}/elsewhere", f"{c.root}/deploy/.env")
    c.run("--no-start", "--profile", "workers")
    assert os.path.islink(f"{c.root}/deploy/.env") and "COMPOSE_PROFILES=workers" in open(f"{c.base}/elsewhere").read()
    os.unlink(f"{c.base}/elsewhere")
    c.run("--no-start", expect=20)


def test_a_clone_that_only_its_owner_reads_is_opened_to_the_containers():
    c = Checkout()
    os.makedirs(f"{c.root}/deploy/compose/postgres", 0o700)
    c.write("deploy/compose/postgres/postgresql.conf", "x\n", 0o600)
    c.write("deploy/compose/start.sh", "x\n", 0o700)
    c.run("--no-start")
    assert mode(f"{c.root}/deploy/compose/postgres") == 0o755 and mode(f"{c.root}/deploy/compose/start.sh") == 0o755
    assert mode(f"{c.root}/deploy/compose/postgres/postgresql.conf") == 0o644
    assert mode(f"{c.root}/deploy/.env") == 0o600
    c.run("--no-start")
    assert "closed" not in c.err


def test_a_user_who_is_not_root_owns_the_backups():
    if os.geteuid() != 0:
        c = Checkout()
        c.run("--no-start")
        assert c.settings()["BACKUP_USER"] == f"{os.getuid()}:{os.getgid()}"
        return
    nobody = pwd.getpwnam("nobody")
    c = Checkout()
    for folder, _, names in os.walk(c.root):
        for name in [folder] + [f"{folder}/{name}" for name in names]:
            os.chown(name, nobody.pw_uid, nobody.pw_gid)
    os.chmod(BASE, 0o755)
    user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    c.environment["TMPDIR"] = "/tmp"
    c.run("--no-start", **user)
    assert c.settings()["BACKUP_USER"] == f"{nobody.pw_uid}:{nobody.pw_gid}"
    c.scenario(security="[name=seccomp,profile=builtin name=rootless]")
    c.run("--no-start", "--force-env", **user)
    assert c.settings()["BACKUP_USER"] == "0:0"
    # And of root's checkout, the image's own user does.
    c = Checkout()
    c.run("--no-start")
    assert "BACKUP_USER" not in c.settings() and os.stat(f"{c.root}/deploy/backups").st_uid == 10001
    # A folder in which one may not write.
    c.run("--no-start", expect=20, **user)
    assert "can not write in" in c.err


# --- the terminal --------------------------------------------------------------------------------------------------

class Terminal:
    """The installer on a terminal of its own."""

    def __init__(self, checkout, *arguments):
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(checkout.root)
            os.execve("/bin/bash", ["bash", "scripts/install.sh", *arguments], checkout.variables())

    def until(self, text):
        end = time.monotonic() + RUN_SECONDS
        while text not in self.seen:
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"no {text!r} in:\n{self.seen}")
            if not self.read():
                raise AssertionError(f"ended without {text!r}:\n{self.seen}")

    def read(self):
        try:
            data = os.read(self.fd, 4096)
        except OSError:
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)

    def type(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        while self.read():
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_a_typed_key_is_not_shown():
    c = Checkout()
    terminal = Terminal(c, "--no-start")
    terminal.until("demonstration agents): ")
    terminal.type("  sk-ant-typed-0123456789 \n")
    assert terminal.end() == 0, terminal.seen
    assert c.settings()["ANTHROPIC_API_KEY"] == "sk-ant-typed-0123456789"
    assert "typed-0123456789" not in terminal.seen
    assert "ARAGORA_DEMO_FALLBACK" not in c.settings()


def test_a_key_without_a_known_beginning_is_asked_about_and_a_bad_one_again():
    c = Checkout()
    terminal = Terminal(c, "--no-start")
    terminal.until("demonstration agents): ")
    terminal.type("not a key\n")
    terminal.until("That is no key")
    terminal.type("AbCdEf0123456789\n")
    terminal.until("6 xAI: ")
    terminal.type("4\n")
    assert terminal.end() == 0, terminal.seen
    assert c.settings()["MISTRAL_API_KEY"] == "AbCdEf0123456789"
    assert "AbCdEf" not in terminal.seen and "not a key" not in terminal.seen, terminal.seen


def test_enter_means_the_demonstration_agents():
    c = Checkout()
    terminal = Terminal(c, "--no-start")
    terminal.until("demonstration agents): ")
    terminal.type("\n")
    assert terminal.end() == 0, terminal.seen
    assert c.settings()["ARAGORA_DEMO_FALLBACK"] == "true"


def test_nobody_is_asked_when_the_file_is_there_or_the_environment_has_a_key():
    c = Checkout()
    c.environment["OPENROUTER_API_KEY"] = "sk-or-v1-abcdef"
    for _ in range(2):
        terminal = Terminal(c, "--no-start")
        assert terminal.end() == 0, terminal.seen
        assert "demonstration agents" not in terminal.seen
    assert c.settings()["OPENROUTER_API_KEY"] == "sk-or-v1-abcdef"


def test_an_interrupted_prompt_leaves_nothing_behind():
    c = Checkout(certificate=False)
    terminal = Terminal(c, "--no-start")
    terminal.until("demonstration agents): ")
    terminal.type("sk-ant-half\x03")
    assert terminal.end() == 130, terminal.seen
    assert "nothing is half written" in terminal.seen
    assert c.files() == ["deploy/.env.template", "deploy/docker-compose.production.yml"], c.files()
    c.run("--no-start")


# --- interruptions -------------------------------------------------------------------------------------------------

def test_an_interruption_anywhere_leaves_whole_files_and_the_next_run_goes_on():
    # Each tool in turn is the one that is running when the signal comes.
    for tool, condition, number, code in (
        ("openssl", '[ "$1" = rand ]', signal.SIGTERM, 143),
        ("openssl", '[ "$1" = req ]', signal.SIGINT, 130),
        ("chmod", "[ true ]", signal.SIGTERM, 143),
        ("mv", "[ true ]", signal.SIGHUP, 129),
        ("sed", "[ true ]", signal.SIGTERM, 143),
    ):
        c = Checkout(certificate=False)
        real = f"{c.tools}/{tool}.real"
        os.rename(f"{c.tools}/{tool}", real)
        mark = f"{c.base}/reached"
        behind = "exec {} \"$@\"".format(shutil.which("openssl")) if tool == "openssl" else f'exec /bin/busybox {tool} "$@"'
        c.tool(tool, f"#!/bin/sh\nif {condition} && [ ! -e '{mark}' ]; then\n  : >'{mark}'\n  read -r _ <&7 || true\nfi\n{behind}\n"
               .replace("<&7", f"<'{c.base}/wait'"))
        os.mkfifo(f"{c.base}/wait")
        process = c.start("--no-start", start_new_session=True)
        # Opening the other end tells that the tool has been reached.
        with open(f"{c.base}/wait", "w"):
            os.killpg(process.pid, number)
            process.communicate(timeout=RUN_SECONDS)
        assert process.returncode == code, (tool, process.returncode)
        assert not c.unfinished(), (tool, c.files())
        if "deploy/.env" in c.files():
            assert set(SECRETS) <= set(c.settings()) and mode(f"{c.root}/deploy/.env") == 0o600
        secrets = c.settings() if "deploy/.env" in c.files() else None
        os.unlink(f"{c.tools}/{tool}")
        os.rename(real, f"{c.tools}/{tool}")
        c.run("--no-start")
        assert secrets is None or c.settings() == secrets
        assert openssl("x509", "-in", f"{c.root}/deploy/nginx/certs/server.crt", "-noout", "-pubkey") == \
            openssl("pkey", "-in", f"{c.root}/deploy/nginx/certs/server.key", "-pubout")


def test_an_interruption_while_it_waits_leaves_what_runs():
    c = Checkout()
    c.scenario(states={"aragora": ["starting|running|0"]})
    process = c.start(start_new_session=True)
    told = ""
    while "waiting  aragora" not in told:
        line = process.stderr.readline()
        assert line, told
        told += line
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=RUN_SECONDS)
    assert process.returncode == 130 and not c.unfinished(), (process.returncode, c.files())
    assert not [call for call in c.compose_calls() if call[0] in ("down", "stop")]
    secrets = c.settings()
    c.scenario(started=True)
    c.run()
    assert c.settings() == secrets


def test_a_full_disk_leaves_the_old_file():
    c = Checkout()
    c.run("--no-start")
    before = c.read("deploy/.env")
    c.tool("mv", "#!/bin/sh\necho 'mv: No space left on device' >&2\nexit 1\n")
    c.run("--no-start", "--force-env", expect=20)
    assert c.read("deploy/.env") == before


def test_two_at_once_are_refused_and_a_dead_ones_lock_is_not():
    c = Checkout()
    os.makedirs(f"{c.root}/deploy/.install.lock")
    c.write("deploy/.install.lock/pid", f"{os.getpid()}\n")
    process = c.start("--no-start")
    out, err = process.communicate(timeout=RUN_SECONDS)
    assert process.returncode == 75 and str(os.getpid()) in err, err
    assert "deploy/.env" not in c.files()
    gone = subprocess.Popen(["true"])
    gone.wait()
    c.write("deploy/.install.lock/pid", f"{gone.pid}\n")
    c.run("--no-start")


# --- prerequisites -------------------------------------------------------------------------------------------------

def untouched(c):
    return c.files() == ["deploy/.env.template", "deploy/docker-compose.production.yml"]


def test_each_missing_prerequisite_is_named_with_what_to_do():
    for change, words in (
        ({"version": "Docker version 20.09.1, build 1"}, "docker 20.10 or newer (here: 20.09.1)"),
        ({"version": "Docker version 19.03.15, build 1"}, "docker 20.10 or newer"),
        ({"version": ""}, "a version that can not be read"),
        ({"info": [1, "permission denied while trying to connect to the Docker daemon socket"]}, "usermod -aG docker"),
        ({"info": [1, "Cannot connect to the Docker daemon"]}, "the Docker daemon does not answer"),
        ({"compose_version": ""}, "Docker Compose"),
    ):
        c = Checkout(certificate=False)
        c.scenario(**change)
        c.run(expect=10)
        assert words in c.err and untouched(c), (words, c.err, c.files())
    for tool, words in (("docker", "MISSING  docker"), ("openssl", "MISSING  openssl")):
        c = Checkout(certificate=False)
        os.unlink(f"{c.tools}/{tool}")
        c.run(expect=10)
        assert words in c.err and untouched(c), c.err


def test_good_versions_are_accepted():
    for version in ("Docker version 20.10.24+dfsg1, build 297e128", "Docker version 27.1.1-ce, build 1", "podman version 4.3.1",
                    "Docker version 100.0, build 1"):
        c = Checkout()
        c.scenario(version=version)
        c.run("--no-start")


def test_the_old_compose_works_and_a_too_old_one_is_refused():
    c = Checkout()
    os.symlink(f"{HERE}/fake-docker.py", f"{c.tools}/docker-compose")
    c.scenario(compose_plugin=False, compose_version="1.29.2")
    c.run("--profile", "workers")
    assert "no longer maintained" in c.err
    up = next(call for call in c.calls() if "up" in call)
    assert up[0] == "docker-compose" and "--env-file" in up, up
    assert "docker-compose --env-file deploy/.env -f deploy/docker-compose.production.yml ps" in c.err
    c.scenario(compose_plugin=False, compose_version="1.25.0")
    c.run(expect=10)


def test_little_memory_and_disk_are_warned_of():
    c = Checkout()
    c.scenario(memory=3 << 30)
    c.tool("df", "#!/bin/sh\necho 'Filesystem 1024-blocks Used Available Capacity Mounted on'\necho 'map auto_home 99 1 5242880 10% /a b'\n")
    c.run("--no-start")
    assert "3072 MB of memory" in c.err and "5120 MB free" in c.err
    c.scenario(memory=4 << 30)
    c.tool("df", "#!/bin/sh\necho 'Filesystem 1024-blocks Used Available Capacity Mounted on'\necho '/dev/disk1 99 1 20971520 10% /'\n")
    c.run("--no-start")
    assert "warning" not in c.err, c.err


def test_a_taken_port_is_found_before_anything_starts_but_not_our_own():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        c = Checkout(certificate=False)
        c.environment["ARAGORA_HTTPS_PORT"] = str(listener.getsockname()[1])
        c.run(expect=10)
        assert f"lsof -i :{listener.getsockname()[1]}" in c.err and untouched(c)
        c.run("--no-start")
        c.scenario(running_before=["nginx"])
        c.run()
        assert "held by this installation" in c.err


def test_nothing_is_checked_when_that_is_wished():
    c = Checkout(certificate=False)
    c.scenario(version="Docker version 1.0, build 1", info=[1, "Cannot connect to the Docker daemon"], memory=1)
    c.run("--skip-prereqs", "--no-start")
    c.run("--skip-prereqs")
    c = Checkout(certificate=False)
    os.unlink(f"{c.tools}/docker")
    c.run("--skip-prereqs", "--no-start")
    c.run("--skip-prereqs", expect=10)


# --- certificates of others ----------------------------------------------------------------------------------------

def certificates(c):
    return f"{c.root}/deploy/nginx/certs"


def test_a_certificate_that_is_there_is_kept_and_looked_at():
    c = Checkout()
    other = f"{c.base}/other.key"
    openssl("genrsa", "-out", other, "2048")
    shutil.copy(other, f"{certificates(c)}/server.key")
    c.run("--no-start", expect=30)
    assert "does not belong to" in c.err
    os.unlink(f"{certificates(c)}/server.key")
    c.run("--no-start", expect=30)
    assert "is not. Next: copy the key" in c.err
    c.write("deploy/nginx/certs/server.key", "no key")
    c.run("--no-start", expect=30)
    c.write("deploy/nginx/certs/server.crt", "no certificate")
    c.run("--no-start", expect=30)
    # A key alone may wait for its certificate: it is not thrown away.
    os.unlink(f"{certificates(c)}/server.crt")
    c.run("--no-start")
    assert len([name for name in c.files() if "server.key.before-" in name]) == 1
    openssl("verify", "-CAfile", f"{certificates(c)}/server.crt", f"{certificates(c)}/server.crt")


def test_an_expired_certificate_is_told():
    c = Checkout()
    key, certificate = (f"{certificates(c)}/server.{end}" for end in ("key", "crt"))
    subprocess.run(["faketime", "-f", "-40d", "openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "30", "-subj",
                    "/CN=x", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    c.run("--no-start")
    assert "has expired" in c.err
    openssl("req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "20", "-subj", "/CN=x", "-keyout", key, "-out", certificate)
    c.run("--no-start")
    assert "expires within 30 days" in c.err


def test_openssl_that_fails_is_told():
    c = Checkout(certificate=False)
    c.tool("openssl", f'#!/bin/sh\n[ "$1" != req ] || {{ echo "req: no such thing" >&2; exit 1; }}\nexec {shutil.which("openssl")} "$@"\n')
    c.run("--no-start", expect=30)
    assert "req: no such thing" in c.err
    c = Checkout()
    c.tool("openssl", "#!/bin/sh\nexit 1\n")
    c.run("--no-start", expect=20)


# --- images and services -------------------------------------------------------------------------------------------

def test_an_image_that_can_not_be_pulled_is_built():
    c = Checkout()
    c.scenario(pull=[1, "manifest unknown"])
    c.run("--profile", "backup")
    commands = [" ".join(call) for call in c.compose_calls() if call[0] in ("pull", "build", "up")]
    assert commands == ["pull aragora", "build aragora", "pull backup", "build backup", "up -d"], commands
    assert "manifest unknown" in c.err


def test_an_image_that_can_be_neither_pulled_nor_built_is_told():
    c = Checkout()
    c.scenario(pull=[1, "no such host"], build=[1, "the compiler was not found"])
    c.run(expect=40)
    assert "the compiler was not found" in c.err
    assert ["up", "-d"] not in c.compose_calls()


def test_an_image_that_is_here_is_used():
    c = Checkout()
    c.scenario(images=["mine:1"])
    c.run(environment={"ARAGORA_IMAGE": "mine:1"})
    assert c.settings()["ARAGORA_IMAGE"] == "mine:1"
    assert not [call for call in c.compose_calls() if call[0] in ("pull", "build")]


def test_containers_of_another_installation_are_in_the_way():
    c = Checkout()
    c.scenario(owners={"aragora-postgres": "another"})
    c.run(expect=50)
    assert "aragora-postgres of the project another" in c.err and ["up", "-d"] not in c.compose_calls()
    c.scenario(owners={"aragora-postgres": "aragora", "aragora-redis": ""})
    c.run(expect=50)
    assert "aragora-redis of nobody" in c.err, c.err
    c.scenario(owners={"aragora-postgres": "aragora", "aragora-redis": "aragora"})
    c.run()


def test_a_start_that_fails_says_what_to_do_about_it():
    for words, next_step in (
        ('Conflict. The container name "/aragora-redis" is already in use by container "1"', "docker rm -f"),
        ("Bind for 0.0.0.0:443 failed: port is already allocated", "lsof"),
        ("write /var/lib/docker/tmp: no space left on device", "docker system df"),
        ("Error response from daemon: pull access denied for grafana", "registry"),
        ("dependency failed to start: container aragora-postgres is unhealthy", "logs --tail 50"),
        ("something else", "config --quiet"),
    ):
        c = Checkout()
        c.scenario(up=[1, words])
        c.run(expect=50)
        assert words in c.err and next_step in c.err, (words, c.err)


def test_a_service_that_never_gets_healthy_is_named_with_its_log():
    for service in ("postgres", "redis", "aragora", "ws-gateway", "nginx"):
        c = Checkout()
        c.scenario(states={service: ["starting|running|0"]})
        c.run(expect=60, environment={"ARAGORA_INSTALL_TIMEOUT": "1"})
        assert f"error: {service} is starting after 1 s" in c.err and f"the log of {service}" in c.err, c.err
        assert "https://localhost" not in c.said


def test_one_unhealthy_replica_is_enough():
    c = Checkout()
    c.scenario(replicas={"aragora": 3}, states={"id-aragora-2": ["unhealthy|running|0"]})
    c.run(expect=60, environment={"ARAGORA_INSTALL_TIMEOUT": "1"})
    assert "aragora is unhealthy" in c.err


def test_a_container_that_keeps_ending_is_not_waited_for():
    c = Checkout()
    c.scenario(states={"aragora": [f"starting|restarting|{n}" for n in range(7, 20)]})
    began = time.monotonic()
    c.run(expect=60)
    assert "keeps ending" in c.err and time.monotonic() - began < 30


def test_a_container_without_a_health_check_only_has_to_run():
    c = Checkout()
    c.scenario(states={"nginx": ["|created|0", "|running|0"]})
    c.run()
    assert "nginx: running" in c.err


def test_an_override_file_is_used():
    c = Checkout()
    c.write("deploy/docker-compose.override.yml", "services: {}\n")
    c.run()
    up = next(call for call in c.calls() if "up" in call)
    assert [up[n + 1] for n, word in enumerate(up) if word == "-f"] == \
        ["deploy/docker-compose.production.yml", "deploy/docker-compose.override.yml"]
    assert "-f deploy/docker-compose.override.yml ps" in c.err


# --- beside the real files -----------------------------------------------------------------------------------------

def test_the_real_compose_file_takes_what_is_written():
    c = Checkout()
    shutil.copy(f"{ROOT}/deploy/docker-compose.production.yml", f"{c.root}/deploy/docker-compose.production.yml")
    c.run("--no-start", "--profile", "monitoring", "--profile", "workers", "--profile", "backup")
    result = subprocess.run(["docker-compose", "--env-file", "deploy/.env", "-f", "deploy/docker-compose.production.yml", "config"],
                            cwd=c.root, env={"PATH": os.environ["PATH"], "HOME": c.base}, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert c.settings()["POSTGRES_PASSWORD"] in result.stdout and "CHANGEME" not in result.stdout
    # A name that the installer fills and the compose file does not know would be a secret that protects nothing.
    for name in SECRETS:
        assert name in c.read("deploy/docker-compose.production.yml"), name
        assert re.search(f"^{name}=", c.read("deploy/.env.template"), re.M), name


def test_the_executables_start_in_production_with_what_is_written():
    folder = os.environ.get("ARAGORA_BIN_DIR")
    assert folder, "scripts/check-deploy.sh sets ARAGORA_BIN_DIR"
    c = Checkout()
    shutil.copy(f"{ROOT}/deploy/docker-compose.production.yml", f"{c.root}/deploy/docker-compose.production.yml")
    c.run("--no-start", "--profile", "workers", "--profile", "backup")
    path = {"PATH": os.environ["PATH"], "HOME": c.base}
    project = yaml.safe_load(subprocess.run(["docker-compose", "--env-file", "deploy/.env", "-f", "deploy/docker-compose.production.yml",
                                             "config"], cwd=c.root, env=path, capture_output=True, text=True, check=True).stdout)
    for service in ("aragora", "ws-gateway", "debate-worker", "backup"):
        described = project["services"][service]
        given = {name: str(value) for name, value in described["environment"].items() if value is not None}
        assert given["ARAGORA_ENV"] == "production"
        # The stores are away (and no name has to be looked up): what is left to complain about is only that.
        given["DATABASE_URL"] = given["DATABASE_URL"].replace("host=postgres port=5432", "host=127.0.0.1 port=1")
        if "REDIS_URL" in given:
            given["REDIS_URL"] = given["REDIS_URL"].replace("@redis:6379", "@127.0.0.1:1")
        given.update(ARAGORA_STARTUP_TIMEOUT="1", ARAGORA_METRICS_PORT="0", ARAGORA_PORT="0", ARAGORA_WS_PORT="0",
                     ARAGORA_BACKUP_DIR=c.base, ARAGORA_BIND_ADDRESS="127.0.0.1")
        ended = subprocess.run([f"{folder}/{described['command'][0]}"], env={**path, **given}, capture_output=True, text=True,
                               timeout=RUN_SECONDS)
        lines = ended.stdout + ended.stderr
        assert ended.returncode == 78 and "not ready within" in lines, lines
        assert "bad setting" not in lines and "ARA-D3" not in lines, lines


def main():
    names = sys.argv[1:] or [name for name in globals() if name.startswith("test_")]
    # One pair for all that do not look at it.
    openssl("req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "365", "-subj", "/CN=localhost", "-keyout", f"{BASE}/server.key",
            "-out", f"{BASE}/server.crt")
    os.chmod(f"{BASE}/server.key", 0o600)
    try:
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            failed = len(names) - sum(pool.map(holds, names))
    finally:
        shutil.rmtree(BASE, ignore_errors=True)
    print(f"{len(names)} sentences, {failed} false")
    return 1 if failed else 0


def holds(name):
    began = time.monotonic()
    sentence = name[5:].replace("_", " ")
    try:
        globals()[name]()
    except (AssertionError, subprocess.SubprocessError, OSError, KeyError, AttributeError, TypeError):
        print(f"FAILED  {sentence}\n{traceback.format_exc()}", flush=True)
        return False
    print(f"ok      {time.monotonic() - began:4.1f} s  {sentence}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
