"""The job as a durable workflow whose steps are kept in Postgres. A worker that starts again finds its own workflows."""

import os
import sys
import threading

from dbos import DBOS, DBOSClient

from job import STEPS, call, tell


@DBOS.step()
def step(job, name):
    return call(job, name)


@DBOS.workflow()
def work(job):
    for name in STEPS:
        step(job, name)
    tell("done", job)


def serve():
    DBOS(config={
        "name": "rival", "system_database_url": os.environ["RIVAL_POSTGRES"], "executor_id": os.environ["RIVAL_WORKER"],
        "application_version": "1", "run_admin_server": False, "log_level": "ERROR"})
    DBOS.launch()
    DBOS.register_queue("jobs", worker_concurrency=4)
    threading.Event().wait()


def submit():
    client = DBOSClient(system_database_url=os.environ["RIVAL_POSTGRES"])
    for line in sys.stdin:
        client.enqueue({"queue_name": "jobs", "workflow_name": "work", "app_version": "1"}, line.strip())


if __name__ == "__main__":
    submit() if sys.argv[1:] == ["submit"] else serve()
