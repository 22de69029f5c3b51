#!/usr/bin/env python3
"""Every service of ours starts with exactly what the compose file gives it, in production, and ends in time.

The environment is what docker-compose makes of the template, filled as the installer does; commands, health checks and
stop_grace_period are the compose file's. Only addresses and folders differ. No worker runs: the API hosts the runner.
"""
import contextlib
import importlib.util
import json
import os
import pathlib
import re
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent


def load(name):
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


lint, stores = load("check"), load("check-stores")
expect = lint.expect


class Installation:
    """Postgres and Redis with the shipped settings, and services with what Compose would hand them."""

    def __init__(self, folder, cleanup):
        self.folder, self.cleanup = folder, cleanup
        self.postgres = self.store("postgres", stores.Postgres)
        self.postgres.ask("CREATE DATABASE aragora")
        self.redis_password = secrets.token_hex(24)
        self.redis = self.store("redis", lambda at: stores.Redis(at, REDIS_PASSWORD=self.redis_password).start())
        self.api_port, self.ws_port = stores.free_port(), stores.free_port()
        self.token = secrets.token_hex(32)
        file = lint.filled(
            folder, POSTGRES_PASSWORD=stores.PASSWORD, REDIS_PASSWORD=self.redis_password,
            ARAGORA_API_TOKEN=self.token, ARAGORA_RECEIPT_SIGNING_KEY=secrets.token_hex(32),
            ARAGORA_JWT_SECRET=secrets.token_hex(32), ARAGORA_ENCRYPTION_KEY=secrets.token_hex(32),
            ARAGORA_PORT=str(self.api_port), ARAGORA_WS_PORT=str(self.ws_port), ARAGORA_DEMO_FALLBACK="true")
        profiles = [f"--profile={profile}" for profile in lint.PROFILES]
        self.services = lint.config(file, *profiles)["services"]
        self.processes = {}

    def store(self, user, start):
        folder = self.cleanup.enter_context(stores.folder_of(user))
        server = start(folder)
        self.cleanup.callback(server.stop)
        return server

    def environment(self, name):
        """Compose's, with this machine's addresses."""
        given = {key: str(value) for key, value in self.services[name]["environment"].items()}
        # docker-compose prints a literal `$` doubled.
        given = {key: value.replace("$$", "$") for key, value in given.items()}
        if "DATABASE_URL" in given:
            changed = given["DATABASE_URL"].replace("host=postgres port=5432", f"host=127.0.0.1 port={self.postgres.port}")
            expect(changed != given["DATABASE_URL"], name, "has another Postgres")
            given["DATABASE_URL"] = changed
        if "REDIS_URL" in given:
            given["REDIS_URL"] = given["REDIS_URL"].replace("@redis:6379", f"@127.0.0.1:{self.redis.port}")
        given.setdefault("PATH", f"{os.environ['ARAGORA_BIN_DIR']}:{stores.POSTGRES_BIN}:/usr/bin:/bin")
        expect(given.get("ARAGORA_METRICS_PORT") == "9090", name, "serves metrics elsewhere")
        self.metrics = getattr(self, "metrics", {})
        given["ARAGORA_METRICS_PORT"] = str(self.metrics.setdefault(name, stores.free_port()))
        given["ARAGORA_BIND_ADDRESS"] = "127.0.0.1"
        for setting in ("ARAGORA_STORE_DIR", "ARAGORA_BACKUP_DIR"):
            if setting in given:
                place = self.folder / setting.lower()
                place.mkdir(exist_ok=True)
                given[setting] = str(place)
        return given

    def start(self, name):
        log = open(self.folder / f"{name}.log", "wb")
        self.processes[name] = subprocess.Popen(self.services[name]["command"], env=self.environment(name), stdout=log,
                                                stderr=log, cwd=self.folder, stdin=subprocess.DEVNULL)

    def is_healthy(self, name):
        kind, *command = self.services[name]["healthcheck"]["test"]
        expect(kind == "CMD", name, kind)
        code = subprocess.run(command, env=self.environment(name), capture_output=True, check=False).returncode
        expect(self.processes[name].poll() is None, name, "ended:", self.log(name))
        return code == 0

    def log(self, name):
        return (self.folder / f"{name}.log").read_text()[-3000:]

    def stop(self):
        """All at once, as `dc stop` does; each must end by itself within its time."""
        began = time.monotonic()
        for process in self.processes.values():
            process.terminate()
        for name, process in self.processes.items():
            grace = lint.seconds(self.services[name]["stop_grace_period"])
            try:
                code = process.wait(max(0, began + grace - time.monotonic()))
            except subprocess.TimeoutExpired:
                raise AssertionError(f"{name} did not end within {grace} s") from None
            expect(code == 0, name, "ended with", code, self.log(name))

    def kill(self):
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    def ask(self, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.api_port}{path}", data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


def main():
    ours = ("aragora", "ws-gateway", "debate-worker", "backup")
    with tempfile.TemporaryDirectory(prefix="aragora-start.") as text, contextlib.ExitStack() as cleanup:
        folder = pathlib.Path(text)
        folder.chmod(0o755)
        installation = Installation(folder, cleanup)
        cleanup.callback(installation.kill)
        # The API brings the schema; the others wait for it, whoever is first.
        for name in ("ws-gateway", "backup", "aragora"):
            installation.start(name)
        for name in ("aragora", "ws-gateway", "backup"):
            stores.wait_for(lambda: installation.is_healthy(name), f"{name} is healthy", folder / f"{name}.log", seconds=60)
        print("ok healthy with what Compose gives them")

        debate = installation.ask("/api/v1/debates", {"task": "Who runs this debate?", "rounds": 1})["debate_id"]
        stores.wait_for(lambda: installation.ask(f"/api/v1/debates/{debate}")["status"] == "completed",
                        "the API runs a debate", folder / "aragora.log", seconds=60)
        receipt = installation.ask(f"/api/v1/debates/{debate}/receipt")
        expect(receipt.get("signature"), "the receipt is not signed:", receipt)
        print("ok without any profile the API runs debates, and signs")

        installation.start("debate-worker")
        stores.wait_for(lambda: installation.is_healthy("debate-worker"), "debate-worker is healthy",
                        folder / "debate-worker.log", seconds=60)
        for name in ours:
            for line in installation.log(name).splitlines():
                expect('"level":"error"' not in line and '"level":"critical"' not in line, name, line)
        print("ok the worker too, and no errors")

        # Nothing is wrong with these settings in the eyes of our own validator, which is run in this container.
        checked = subprocess.run(["aragora", "validate-env"], env=installation.environment("aragora"), cwd=folder,
                                 capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        expect(checked.returncode == 0, "validate-env:", checked.stdout, checked.stderr)
        print("ok validate-env:", re.sub(r"\s+", " ", checked.stdout.strip().splitlines()[-1]))

        installation.stop()
        print("ok each ends within its stop_grace_period")
    return 0


if __name__ == "__main__":
    sys.exit(main())
