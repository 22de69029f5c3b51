"""The job as a chain of tasks, set to survive a worker that is killed: late acknowledgement, short visibility timeout."""

import os

from celery import Celery, chain

from job import STEPS, call, tell

app = Celery("rival", broker=os.environ["RIVAL_REDIS"], backend=os.environ["RIVAL_REDIS"])
app.conf.update(
    task_acks_late=True, task_reject_on_worker_lost=True, worker_prefetch_multiplier=1,
    # An hour unless told: a killed worker's tasks are handed out again after it.
    broker_transport_options={"visibility_timeout": int(os.environ.get("RIVAL_VISIBILITY", "10"))},
)


@app.task(name="step")
def step(_, job, name):
    answer = call(job, name)
    if name == STEPS[-1]:
        tell("done", job)
    return answer


def submit(job):
    chain(*[step.s(*([None] if index == 0 else []), job, name) for index, name in enumerate(STEPS)]).apply_async()
