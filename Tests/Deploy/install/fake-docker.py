#!/usr/bin/python3 -SE
"""A docker that starts nothing: answers from the scenario in $FAKE_DOCKER/state.json and writes down how it was called."""
import json
import os
import sys

folder = os.environ["FAKE_DOCKER"]
arguments = sys.argv[1:]
with open(f"{folder}/state.json") as file:
    state = json.load(file)
with open(f"{folder}/calls", "a") as file:
    file.write(json.dumps([os.path.basename(sys.argv[0])] + arguments) + "\n")


def leave(code=0, out="", err=""):
    with open(f"{folder}/state.json.new", "w") as file:
        json.dump(state, file)
    os.rename(f"{folder}/state.json.new", f"{folder}/state.json")
    if out:
        print(out)
    if err:
        print(err, file=sys.stderr)
    sys.exit(code)


def answer(name):
    """What the scenario says about a command: [exit code, what it prints on stderr]."""
    code, err = state.get(name, [0, ""])
    return code, err


def compose(rest):
    if rest[:2] == ["version", "--short"]:
        leave(0, state["compose_version"]) if state["compose_version"] else leave(1, err="docker: 'compose' is not a docker command.")
    options = {"--profile": [], "-f": [], "--env-file": []}
    while rest and rest[0] in options:
        options[rest[0]].append(rest[1])
        rest = rest[2:]
    if not all(os.path.isfile(name) for name in options["-f"] + options["--env-file"]):
        leave(14, err="no such file: " + " ".join(options["-f"] + options["--env-file"]))
    command, rest = rest[0], rest[1:]
    with open(f"{folder}/environment", "a") as file:
        file.write(json.dumps([command, dict(os.environ)]) + "\n")
    if command in ("pull", "build"):
        code, err = answer(command)
        if code == 0:
            state["images"].append(state["image_of"][rest[0]])
        leave(code, err=err)
    if command == "up":
        code, err = answer("up")
        if code == 0:
            state["started"] = True
        leave(code, err=err)
    if command == "ps":
        running = state["started"] or rest[-1] in state["running_before"]
        leave(0, "\n".join(f"id-{rest[-1]}-{n + 1}" for n in range(state["replicas"].get(rest[-1], 1))) if running else "")
    if command == "exec":
        with open(f"{folder}/stdin", "w") as file:
            file.write(sys.stdin.read())
        leave(*answer("exec"))
    if command == "logs":
        leave(0, f"the log of {rest[-1]}")
    leave(97, err=f"unexpected: compose {command}")


def inspect(rest):
    wanted, name = rest[1], rest[2]
    if "com.docker.compose.project" in wanted:
        leave(0, state["owners"][name]) if name in state["owners"] else leave(1, err="No such object")
    service = name[len("id-"):].rsplit("-", 1)[0]
    if wanted == "{{.State.Status}}":
        leave(0, "running")
    # The first state is seen once, the last one for ever.
    states = state["states"].setdefault(name, list(state["states"].get(service, ["healthy|running|0"])))
    leave(0, states.pop(0) if len(states) > 1 else states[0])


if os.path.basename(sys.argv[0]) == "docker-compose":
    compose(arguments)
if arguments[0] == "compose":
    if not state["compose_plugin"]:
        leave(1, err="docker: 'compose' is not a docker command.")
    compose(arguments[1:])
if arguments == ["--version"]:
    leave(0, state["version"])
if arguments[0] == "info":
    code, err = answer("info")
    leave(code, state["security"] if "Security" in arguments[-1] else str(state["memory"]), err) if code == 0 else leave(code, err=err)
if arguments[:2] == ["image", "inspect"]:
    leave(0 if arguments[2] in state["images"] else 1)
if arguments[:2] == ["volume", "inspect"]:
    leave(0 if arguments[2] in state["volumes"] else 1)
if arguments[0] == "inspect":
    inspect(arguments[1:])
leave(97, err=f"unexpected: docker {arguments}")
