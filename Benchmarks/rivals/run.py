"""Runs jobs on three workers while one after another is killed, and counts what was lost, repeated and late.

Started by scripts/rivals.sh, which says what it takes.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request

FOLDER = os.path.dirname(os.path.abspath(__file__))


def ask(method, url, body=None, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, json.dumps(body).encode() if body is not None else None, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        content = answer.read()
        return json.loads(content) if content else None


class Rival:
    """Workers of Celery or DBOS, and what they told."""

    def __init__(self, name, chosen):
        self.name, self.chosen = name, chosen
        self.log = f"{chosen.folder}/{name}.jsonl"
        self.environment = dict(
            os.environ, RIVAL_PROVIDER=chosen.provider, RIVAL_REDIS=chosen.redis, RIVAL_POSTGRES=chosen.postgres,
            RIVAL_LOG=self.log, PYTHONPATH=FOLDER)
        self.workers = {}

    def start(self, worker):
        command = (
            [sys.executable, "-m", "celery", "-A", "celery_app", "worker", "-c", "4", "-n", f"{worker}@%h", "-l", "ERROR"]
            if self.name == "celery" else [sys.executable, f"{FOLDER}/dbos_app.py"])
        with open(f"{self.chosen.folder}/{self.name}-{worker}.log", "ab") as output:
            self.workers[worker] = subprocess.Popen(
                command, env=dict(self.environment, RIVAL_WORKER=worker), cwd=FOLDER, stdout=output, stderr=output,
                start_new_session=True)

    def kill(self, worker):
        os.killpg(self.workers[worker].pid, signal.SIGKILL)
        self.workers[worker].wait()

    def submit(self, jobs):
        environment = dict(self.environment, RIVAL_WORKER="client")
        if self.name == "celery":
            code = "import sys, celery_app\nfor line in sys.stdin: celery_app.submit(line.strip())"
            command = [sys.executable, "-c", code]
        else:
            command = [sys.executable, f"{FOLDER}/dbos_app.py", "submit"]
        subprocess.run(command, input="\n".join(jobs) + "\n", text=True, env=environment, cwd=FOLDER, check=True, timeout=120)

    def told(self):
        try:
            with open(self.log) as file:
                return [json.loads(line) for line in file]
        except FileNotFoundError:
            return []

    def done(self):
        return len({line["job"] for line in self.told() if line["what"] == "done"})

    def stop(self):
        for worker in self.workers.values():
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()

    def takeovers(self, kills):
        """Seconds from a kill to the next sign of each job that the killed worker had a call of."""
        told, found = self.told(), []
        for number, (worker, at) in enumerate(kills):
            since = max((killed for other, killed in kills[:number] if other == worker), default=0)
            open_calls = {}
            for line in told:
                if since < line["at"] < at and line["worker"] == worker:
                    if line["what"] == "begin":
                        open_calls[line["job"]] = line["step"]
                    elif line["what"] == "end":
                        open_calls.pop(line["job"], None)
            for job in open_calls:
                later = [line["at"] for line in told if line["job"] == job and line["at"] > at]
                found.append(min(later) - at if later else float("inf"))
        return found


class Ours:
    """Debates of two agents in one round, on the stack that scripts/rivals.sh has started."""

    def __init__(self, name, chosen):
        self.name, self.chosen, self.moved, self.stopped = name, chosen, [], threading.Event()
        import psycopg

        self.database = psycopg.connect(chosen.stack_postgres, autocommit=True)
        threading.Thread(target=self.watch, daemon=True).start()

    def start(self, worker):
        if os.path.exists(f"{self.chosen.stack}/pids/{worker}.pid") and self._alive(worker):
            return
        subprocess.run([f"{self.chosen.root}/scripts/service.sh", "start", worker], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, env=dict(os.environ, RUN_DIR=self.chosen.stack))

    def _pid(self, worker):
        with open(f"{self.chosen.stack}/pids/{worker}.pid") as file:
            return int(file.read().split()[0])

    def _alive(self, worker):
        try:
            with open(f"/proc/{self._pid(worker)}/stat") as file:
                return file.read().rpartition(")")[2].split()[0] != "Z"
        except FileNotFoundError:
            return False

    def kill(self, worker):
        if self._alive(worker):
            os.kill(self._pid(worker), signal.SIGKILL)

    def watch(self):
        """Notes when each debate gets another holder: its epoch grows. Nobody lets one go here unless it is killed."""
        import psycopg

        with psycopg.connect(self.chosen.stack_postgres, autocommit=True) as database:
            known = {}
            while not self.stopped.wait(0.02):
                for job, epoch in database.execute("SELECT debate_id, lease_epoch FROM debate_runs WHERE lease_epoch > 0"):
                    if epoch > known.get(job, epoch):
                        self.moved.append(time.time())
                    known[job] = epoch

    def submit(self, jobs):
        for _ in jobs:
            ask("POST", f"{self.chosen.api}/api/v1/debates",
                {"topic": "Is it lost?", "agents": ["openai", "openai"], "rounds": 1}, self.chosen.token)

    def done(self):
        return self.database.execute("SELECT count(*) FROM debate_runs WHERE status = 'completed'").fetchone()[0]

    def stop(self):
        self.stopped.set()
        self.database.close()

    def takeovers(self, kills):
        """Seconds from the last kill before it to each change of a holder."""
        return [at - max(killed for _, killed in kills if killed < at) for at in self.moved if any(k < at for _, k in kills)]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("name", choices=["celery", "dbos", "aragora"])
    for name in ("--provider", "--redis", "--postgres", "--folder", "--stack", "--stack-postgres", "--api", "--token", "--root"):
        arguments.add_argument(name, default="")
    arguments.add_argument("--jobs", type=int, default=200)
    arguments.add_argument("--kill-every", type=float, default=3)
    arguments.add_argument("--limit", type=float, default=150)
    arguments.add_argument("--seed", type=int, default=6)
    chosen = arguments.parse_args()
    chance = random.Random(chosen.seed)
    side = (Ours if chosen.name == "aragora" else Rival)(chosen.name, chosen)
    names = [f"debate-worker-{n}" for n in (1, 2, 3)] if chosen.name == "aragora" else ["w1", "w2", "w3"]
    ask("DELETE", f"{chosen.provider}/ledger")
    for name in names:
        side.start(name)
    time.sleep(6)
    began, kills, next_kill = time.time(), [], time.time() + chosen.kill_every
    side.submit([f"job-{number}" for number in range(chosen.jobs)])
    while side.done() < chosen.jobs and time.time() - began < chosen.limit:
        if time.time() >= next_kill:
            worker = chance.choice(names)
            kills.append((worker, time.time()))
            side.kill(worker)
            time.sleep(1)
            side.start(worker)
            next_kill = time.time() + chosen.kill_every
        time.sleep(0.1)
    seconds, done = time.time() - began, side.done()
    late = sorted(side.takeovers(kills))
    ledger = ask("GET", f"{chosen.provider}/ledger")
    keys = [entry["sent"] for entry in (ledger["call_keys"] or ledger["keys"]).values()]
    result = {
        "name": chosen.name, "jobs": chosen.jobs, "done": done, "lost": chosen.jobs - done, "seconds": round(seconds, 1),
        "jobs_per_s": round(done / seconds, 2), "kills": len(kills), "calls": len(keys),
        "sent_again": sum(1 for sent in keys if sent > 1), "most_sent": max(keys, default=0), "taken_over": len(late),
        "takeover_p50_s": round(late[len(late) // 2], 2) if late else None, "takeover_max_s": round(late[-1], 2) if late else None,
        "load": round(os.getloadavg()[0], 1),
    }
    side.stop()
    print(json.dumps(result), flush=True)


main()
