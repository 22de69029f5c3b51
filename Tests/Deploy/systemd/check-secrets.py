#!/usr/bin/env python3
"""deploy/systemd/aragora-fetch-secrets against an `aws` that answers as a scenario wants.

Each function named `test_…` is one sentence about it. Names given as arguments run only those.
"""
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(f"{HERE}/../../..")
PROGRAM = f"{ROOT}/deploy/systemd/aragora-fetch-secrets"
BASE = tempfile.mkdtemp(prefix="aragora-secrets-")
GOOD = {"DATABASE_URL": "postgresql://u:pw-value-1@db/x", "ARAGORA_API_TOKEN": "token-value-22222222", "REDIS_URL": "rediss://r-value-3"}
RUN_SECONDS = 30


class Host:
    """A runtime directory, and an aws that prints the file `answer` after `before`, and writes down its arguments."""

    def __init__(self):
        self.base = tempfile.mkdtemp(dir=BASE)
        self.run_folder = f"{self.base}/a run"
        os.makedirs(self.run_folder)
        self.tools = f"{self.base}/tools"
        os.makedirs(self.tools)
        self.environment = {}
        self.answer(GOOD)

    def answer(self, answer, before=""):
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        with open(f"{self.base}/answer", "wb") as file:
            file.write(data)
        with open(f"{self.tools}/aws", "w") as file:
            file.write(f'#!/bin/sh\necho "$*" >"{self.base}/arguments"\n{before}\ncat "{self.base}/answer"\n')
        os.chmod(f"{self.tools}/aws", 0o755)

    def run(self, *arguments, expect=0):
        process = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=RUN_SECONDS, cwd="/", env={
            "PATH": f"{self.tools}:/usr/bin:/bin", "RUNTIME_DIRECTORY": self.run_folder, **self.environment})
        self.said = process.stdout + process.stderr
        assert process.returncode == expect, f"exit code {process.returncode}, expected {expect}: {self.said}"
        assert arguments == ("--help",) or "value" not in self.said.replace("any value", "").replace("last value", "").replace("values", ""), self.said
        assert "Traceback" not in self.said, self.said
        for folder, _, names in os.walk(self.run_folder):
            assert not [name for name in names if "unfinished" in name], names

    def secrets(self):
        folder = f"{self.run_folder}/secrets"
        return {name: open(f"{folder}/{name}").read() for name in os.listdir(folder)} if os.path.isdir(folder) else {}

    def places(self):
        lines = [line for line in open(f"{self.run_folder}/secrets.env").read().splitlines() if not line.startswith("#")]
        return dict(line.split("=", 1) for line in lines)


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def test_a_good_answer_becomes_files_that_only_this_user_reads():
    host = Host()
    host.run()
    assert host.secrets() == GOOD
    for name in GOOD:
        assert mode(f"{host.run_folder}/secrets/{name}") == 0o400
    assert mode(f"{host.run_folder}/secrets") == 0o700 and mode(f"{host.run_folder}/secrets.env") == 0o400
    assert host.places() == {f"{name}_FILE": f"{host.run_folder}/secrets/{name}" for name in GOOD}
    asked = open(f"{host.base}/arguments").read().strip()
    assert asked == "secretsmanager get-secret-value --secret-id aragora/production --query SecretString --output text"


def test_names_that_are_not_ours_are_named_and_not_written():
    host = Host()
    host.answer({**GOOD, "LD_PRELOAD": "/evil-value", "../../etc/passwd": "value", "PATH": "value", "x\n\u202e": "value", "N": 7})
    host.run()
    assert set(host.secrets()) == set(GOOD)
    assert "LD_PRELOAD" in host.said and "../../etc/passwd" in host.said
    assert "\u202e" not in host.said and "x\\n" in host.said
    host.answer({**GOOD, **{f"N{n}": "value" for n in range(500)}})
    host.run()
    assert len(host.said) < 4000, len(host.said)


def test_empty_values_count_as_not_given():
    host = Host()
    host.answer({**GOOD, "OPENAI_API_KEY": ""})
    host.run()
    assert "OPENAI_API_KEY" not in host.secrets()


def test_an_answer_that_is_not_good_is_refused_whole():
    for answer, words in (
        (b"", "not JSON"), (b"{", "not JSON"), (b"not-a-value", "not JSON"), (b'{"a": NaN, }', "not JSON"), (b"\xff\xfe", "not UTF-8"),
        (b"[1]", "no object"), (b"null", "no object"), (b'"value"', "no object"), (b"[" * 100000, "not JSON"),
        (b'{"ARAGORA_API_TOKEN": "value", "ARAGORA_API_TOKEN": "value-2"}', "twice"),
        ({**GOOD, "ARAGORA_API_TOKEN": 17}, "ARAGORA_API_TOKEN is not a string"),
        ({**GOOD, "REDIS_URL": None}, "REDIS_URL is not a string"),
        ({**GOOD, "REDIS_URL": ["value"]}, "REDIS_URL is not a string"),
        ({**GOOD, "REDIS_URL": "value\nX=1"}, "control character"),
        ({**GOOD, "REDIS_URL": "value\0"}, "control character"),
        (b'{"DATABASE_URL": "value", "ARAGORA_API_TOKEN": "\\ud800"}', "half a character"),
        ({**GOOD, "REDIS_URL": "v" * 70000}, "longer than 65536"),
        ({"DATABASE_URL": "value"}, "lacks ARAGORA_API_TOKEN"),
        ({"ARAGORA_API_TOKEN": "value"}, "lacks ARAGORA_POSTGRES_DSN or DATABASE_URL"),
        ({**GOOD, "ARAGORA_API_TOKEN": ""}, "lacks ARAGORA_API_TOKEN"),
        (json.dumps(GOOD).encode() + b" " * (1 << 20), "longer than 1048576"),
    ):
        host = Host()
        host.answer(answer)
        host.run(expect=78)
        assert words in host.said and "no earlier set" in host.said, (words, host.said)
        assert not host.secrets() and not os.path.exists(f"{host.run_folder}/secrets.env")
        # And beside a good set, which stays.
        host.answer(GOOD)
        host.run()
        host.answer(answer)
        for arguments in ([], ["--reload"]):
            host.run(*arguments)
            assert words in host.said and "going on with the last good set" in host.said, host.said
            assert host.secrets() == GOOD and len(host.places()) == len(GOOD)


def test_a_manager_that_is_away_leaves_the_last_good_set():
    host = Host()
    host.answer(GOOD, before='echo "An error occurred (AccessDeniedException): token-value-22222222 no" >&2; exit 254')
    host.run(expect=75)
    assert "ended with 254: AccessDeniedException; there is no earlier set" in host.said, host.said
    host.answer(GOOD)
    host.run()
    host.answer(GOOD, before='echo "An error (AccessDeniedException): token-value-22222222 no" >&2; exit 254')
    host.run()
    assert "ended with 254: its own words may hold secrets" in host.said and "last good set" in host.said, host.said
    host.answer(GOOD, before='echo "Unable to locate credentials. You can configure them" >&2; exit 253')
    host.run("--reload")
    assert "Unable to locate credentials; going on with the last good set" in host.said
    assert host.secrets() == GOOD
    os.unlink(f"{host.tools}/aws")
    host.environment["PATH"] = host.tools + ":/bin-that-is-not"
    process = subprocess.run(["/usr/bin/python3", PROGRAM], capture_output=True, text=True,
                             env={"PATH": host.tools, "RUNTIME_DIRECTORY": host.run_folder})
    assert process.returncode == 0 and "aws can not be run" in process.stderr, process


def test_a_manager_that_does_not_answer_is_ended_with_all_that_it_started():
    host = Host()
    host.environment["ARAGORA_SECRETS_TIMEOUT"] = "0.5"
    # It ignores TERM, and leaves a child that holds its output open.
    host.answer(GOOD, before=f'trap "" TERM; sleep 60 & echo $! >"{host.base}/child"; sleep 60')
    began = time.monotonic()
    host.run(expect=75)
    assert time.monotonic() - began < 10 and "no answer within 0.5 s" in host.said
    child = int(open(f"{host.base}/child").read())
    end = time.monotonic() + 10
    while os.path.exists(f"/proc/{child}") and open(f"/proc/{child}/stat").read().rsplit(")", 1)[1].split()[0] != "Z":
        assert time.monotonic() < end, "the manager's child lives on"
        time.sleep(0.05)


def test_a_refresh_writes_what_changed_and_says_which():
    host = Host()
    host.run()
    before = {name: os.stat(f"{host.run_folder}/secrets/{name}").st_ino for name in GOOD}
    host.answer({**GOOD, "ARAGORA_API_TOKEN": "token-value-33333333", "OPENAI_API_KEY": "sk-value"})
    host.run("--reload")
    assert host.secrets()["ARAGORA_API_TOKEN"] == "token-value-33333333"
    assert "changed: ARAGORA_API_TOKEN OPENAI_API_KEY" in host.said
    assert os.stat(f"{host.run_folder}/secrets/REDIS_URL").st_ino == before["REDIS_URL"]
    assert mode(f"{host.run_folder}/secrets/ARAGORA_API_TOKEN") == 0o400
    host.run("--reload")
    assert "changed: none" in host.said


def test_a_name_that_is_gone_stays_for_what_runs_and_goes_at_the_next_start():
    host = Host()
    host.run()
    host.answer({name: GOOD[name] for name in ("DATABASE_URL", "ARAGORA_API_TOKEN")})
    host.run("--reload")
    assert host.secrets() == GOOD and "REDIS_URL: no longer in the answer" in host.said
    assert "REDIS_URL_FILE" in host.places()
    host.run()
    assert "REDIS_URL" not in host.secrets() and "REDIS_URL_FILE" not in host.places()


def test_what_a_killed_run_left_is_removed():
    host = Host()
    host.run()
    with open(f"{host.run_folder}/secrets/.unfinished-abc", "w") as file:
        file.write("half")
    host.run()


def test_another_command_and_other_required_names():
    host = Host()
    host.environment.update(ARAGORA_SECRETS_COMMAND=f"cat '{host.base}/answer'", ARAGORA_SECRETS_REQUIRED="OPENAI_API_KEY")
    host.run(expect=78)
    assert "lacks OPENAI_API_KEY" in host.said
    host.answer({"OPENAI_API_KEY": "sk-value"})
    host.run()
    # No shell stands between: nothing in the line is expanded or chained.
    host.environment["ARAGORA_SECRETS_COMMAND"] = f"cat '{host.base}/answer' ; touch '{host.base}/evil'"
    host.run()
    assert not os.path.exists(f"{host.base}/evil")


def test_no_manager_means_no_files():
    host = Host()
    host.environment["ARAGORA_SECRETS_COMMAND"] = "none"
    host.run()
    assert host.places() == {} and not host.secrets() and not os.path.exists(f"{host.base}/arguments")
    host.run("--reload")


def test_wrong_settings_and_arguments_are_refused():
    host = Host()
    host.run("--bogus", expect=64)
    for name, value in (("ARAGORA_SECRETS_TIMEOUT", "x"), ("ARAGORA_SECRETS_TIMEOUT", "0"), ("ARAGORA_SECRETS_TIMEOUT", "1e9"),
                        ("ARAGORA_SECRETS_TIMEOUT", "nan"), ("ARAGORA_SECRETS_COMMAND", "'"), ("ARAGORA_SECRETS_COMMAND", " "),
                        ("ARAGORA_SECRETS_REQUIRED", "PATH"), ("RUNTIME_DIRECTORY", ""), ("RUNTIME_DIRECTORY", "/nowhere")):
        host = Host()
        host.environment[name] = value
        host.run(expect=78)
    host = Host()
    host.run("--help")
    assert "ARAGORA_SECRETS_COMMAND" in host.said


def test_it_writes_every_secret_that_the_services_read():
    allowed = re.search(r'ALLOWED = """(.*?)"""', open(PROGRAM).read(), re.S).group(1).split()
    documented = set()
    for line in open(f"{ROOT}/docs/configuration.md"):
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 3 and cells[2] == "secret":
            documented |= set(re.findall(r"`([A-Z0-9_]+)`", cells[1]))
    assert documented == set(allowed), documented ^ set(allowed)


def main():
    names = sys.argv[1:] or [name for name in globals() if name.startswith("test_")]
    failed = 0
    try:
        for name in names:
            try:
                globals()[name]()
                print(f"ok      {name[5:].replace('_', ' ')}")
            except (AssertionError, OSError, subprocess.SubprocessError, ValueError, KeyError):
                failed += 1
                print(f"FAILED  {name[5:].replace('_', ' ')}\n{traceback.format_exc()}")
    finally:
        shutil.rmtree(BASE, ignore_errors=True)
    print(f"{len(names)} sentences, {failed} false")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
