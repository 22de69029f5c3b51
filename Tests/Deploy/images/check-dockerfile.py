#!/usr/bin/env python3
"""What can be said of the images without an engine: hadolint, the promises of every target, the C libraries the
executables need, and that every image of the compose file is ours, has a stand-in, or is known to have none.

scripts/check-images.sh builds and runs them. Exit codes: 0 passed, 1 not.
"""

import os
import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
DOCKERFILE = ROOT / "deploy/images/Dockerfile"
STAND_INS = ROOT / "Tests/Deploy/images/stand-ins"
EXECUTABLES = ["aragora-api", "aragora-ws-gateway", "aragora-debate-worker", "aragora-backup", "aragora"]
# Target: (what it runs, whether it answers a health check).
TARGETS = {
    "aragora": ("aragora-api", True),
    "api": ("aragora-api", True),
    "ws-gateway": ("aragora-ws-gateway", True),
    "debate-worker": ("aragora-debate-worker", True),
    "cli": ("aragora", False),
    "backup": ("aragora-backup", True),
}
# scripts/check-stack.sh leaves these services out, and says so: no Debian package is anything like them.
WITHOUT_STAND_IN = {"grafana/grafana", "grafana/loki", "grafana/promtail", "jaegertracing/all-in-one"}
# In every Debian, or brought by another of the list, as far as our executables are concerned.
ESSENTIAL = {"libc6", "libgcc-s1"}
# Versions are those of the Debian release, as its security updates want it.
HADOLINT_IGNORED = ["DL3008"]
# The vendors' own images name their users, and so do the stand-ins.
STAND_IN_IGNORED = ["DL3066"]

failures = []


def check(condition, message):
    if not condition:
        failures.append(message)


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    return result.returncode, result.stdout + result.stderr


def stages():
    """name -> (base, [instruction lines]) of the Dockerfile, in its order; continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.M)
    found, name = {}, None
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if match := re.match(r"FROM (\S+) AS (\S+)", line):
            name = match[2]
            found[name] = (match[1], [])
        elif name and line.strip():
            found[name][1].append(line)
    return found


def inherited(found, name):
    """The instructions that hold for a target, those of its bases first."""
    base, lines = found[name]
    return (inherited(found, base) if base in found else []) + lines


def last(lines, keyword):
    values = [line.split(None, 1)[1] for line in lines if line.startswith(keyword + " ")]
    return values[-1] if values else None


def packages(lines):
    found = set()
    for line in lines:
        for match in re.finditer(r"apt-get install ([^&;]*)", line):
            found |= {word for word in match[1].split() if not word.startswith("-")}
    return found


def check_targets(found):
    check(list(found)[-1] == "aragora", "the last stage is what a build without --target makes: it must be aragora")
    for target, (command, has_health) in TARGETS.items():
        if target not in found:
            check(False, f"no target {target}")
            continue
        lines = inherited(found, target)
        check(last(lines, "USER") == "10001:10001", f"{target}: USER must be 10001:10001, a number, so that Kubernetes can see it")
        check(last(lines, "STOPSIGNAL") == "SIGTERM", f"{target}: STOPSIGNAL must be SIGTERM")
        health = last(lines, "HEALTHCHECK") or "none at all"
        wanted = f'CMD ["{command}", "--healthcheck"]' if has_health else "NONE"
        check(health.endswith(wanted), f"{target}: HEALTHCHECK must end in {wanted}, is {health}")
        starts = last(lines, "CMD") if has_health else last(lines, "ENTRYPOINT")
        check(starts == f'["{command}"]', f"{target}: must start {command}, starts {starts}")
        environment = [line for line in lines if line.startswith("ENV") and "ARAGORA_BUILD_SHA=${" in line]
        check(len(environment) == 1, f"{target}: ENV must carry ARAGORA_BUILD_SHA and ARAGORA_BUILD_TIME to /health/build")
        extra = packages(lines) & {"curl", "wget", "netcat-openbsd", "git", "python3"}
        check(not extra, f"{target}: installs {extra}, which only an intruder needs")
    check(packages(found["runtime"][1]) == packages(found["backup"][1]), "runtime and backup install different packages")
    check(found["backup"][0] == "${POSTGRES_IMAGE}", "backup must be made from the server's own image: pg_dump refuses a newer server")


def check_libraries(found):
    """Every C library that an executable names belongs to a package of the list, and every library of the list is named;
    those of the Swift runtime, which goes with them, too."""
    folder = os.environ.get("ARAGORA_BIN_DIR")
    check(folder, "ARAGORA_BIN_DIR is not set (scripts/check-deploy.sh sets it)")
    if not folder:
        return
    needed, files = set(), {f"{folder}/{executable}" for executable in EXECUTABLES}
    for file in sorted(files):
        code, output = run("ldd", file)
        check(code == 0, output)
        files |= set(re.findall(r"=> (\S+/swift/linux/\S+)", output))
    for file in sorted(files):
        code, output = run("readelf", "--dynamic", file)
        check(code == 0, output)
        needed |= set(re.findall(r"\(NEEDED\).*\[(.+)\]", output))
    listed = packages(found["runtime"][1])
    used = set()
    for library in sorted(needed):
        code, output = run("dpkg-query", "--search", f"*/{library}")
        if code != 0:  # of the Swift runtime, which the build copies
            check("wift" in library or library in {"libdispatch.so", "libBlocksRuntime.so", "libFoundationEssentials.so"},
                  f"{library} belongs to no Debian package and not to the Swift runtime")
            continue
        owners = {line.split(":")[0] for line in output.splitlines()}
        used |= owners
        check(owners & (listed | ESSENTIAL), f"{library} needs one of {owners}, which the Dockerfile does not install")
    unused = listed - used - {"ca-certificates"}
    check(not unused, f"the Dockerfile installs {unused}, which no executable needs")


def check_stand_ins():
    compose = yaml.safe_load((ROOT / "deploy/docker-compose.production.yml").read_text())
    for name, service in compose["services"].items():
        image = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", service["image"])
        bare = image.split(":")[0]
        if "build" in service:
            check(service["build"]["target"] in TARGETS, f"{name}: builds the target {service['build']['target']}, which does not exist")
        elif bare not in WITHOUT_STAND_IN:
            code, output = run("bash", "-c", "source scripts/lib/common.sh; source scripts/lib/containers.sh; "
                               'containers_stand_in_folder "$1"', "-", image)
            check(code == 0 and (STAND_INS / output.strip() / "Containerfile").is_file(), f"{name}: no stand-in for {image}")


def check_hadolint():
    hadolint = pathlib.Path(sys.executable).parent / "hadolint"
    for file, ignored in [(DOCKERFILE, HADOLINT_IGNORED)] + [
            (file, HADOLINT_IGNORED + STAND_IN_IGNORED) for file in sorted(STAND_INS.glob("*/Containerfile"))]:
        code, output = run(str(hadolint), "--no-color", *[f"--ignore={rule}" for rule in ignored], str(file.relative_to(ROOT)))
        check(code == 0, output.strip())


found = stages()
check_hadolint()
check_targets(found)
check_libraries(found)
check_stand_ins()
for failure in failures:
    print(failure)
if not failures:
    print(f"{len(TARGETS)} targets, {len(packages(found['runtime'][1]))} packages")
sys.exit(1 if failures else 0)
