"""One job of the comparison: four calls one after another, each with an idempotency key, each told in a file.

The same in Celery and in DBOS; what they add is how steps are kept and jobs are found again.
"""

import json
import os
import time
import urllib.request

STEPS = ("propose", "critique", "revise", "vote")


def tell(what, job, step=""):
    """One line that is written whole or not at all, also by a process that is killed."""
    line = json.dumps({"at": time.time(), "worker": os.environ["RIVAL_WORKER"], "what": what, "job": job, "step": step}) + "\n"
    file = os.open(os.environ["RIVAL_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(file, line.encode())
    os.close(file)


def call(job, step):
    """Asks the simulated provider."""
    tell("begin", job, step)
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": f"TASK: {step.upper()} for {job}"}]}
    request = urllib.request.Request(
        os.environ["RIVAL_PROVIDER"] + "/v1/chat/completions", json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": "Bearer key", "Idempotency-Key": f"{job}-{step}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = json.load(answer)["choices"][0]["message"]["content"]
    tell("end", job, step)
    return text
