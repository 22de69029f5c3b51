#!/usr/bin/env python3
"""deploy/docker-compose.production.yml and deploy/.env.template: valid, complete, and no more open than documented.

The compose file is judged by the current compose-spec schema, and by docker-compose, which reads it as it will be
read. What Compose v2 alone does (`up`, `--wait`, recreating containers) is not seen here.
"""
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "docker-compose.production.yml"
TEMPLATE = DEPLOY / ".env.template"
PROFILES = ("workers", "backup", "monitoring")

# Published ports: on all addresses, and on 127.0.0.1 only.
OPEN = {"nginx": {80, 443}}
LOCAL = {"nginx": {8080}, "prometheus": {9090}, "alertmanager": {9093}, "grafana": {3000}, "jaeger": {16686}}

# What a service may do beyond nothing.
CAPABILITIES = {"nginx": {"NET_BIND_SERVICE", "SETUID", "SETGID", "CHOWN", "DAC_OVERRIDE"}}

# Which secrets reach which service. Whoever is not here gets none.
STORES = {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "ARAGORA_POSTGRES_DSN", "ARAGORA_REDIS_URL",
          "ARAGORA_REDIS_SENTINEL_PASSWORD"}
PROVIDERS = {f"{name}_API_KEY" for name in
             ("ANTHROPIC", "OPENAI", "OPENROUTER", "MISTRAL", "GEMINI", "XAI", "ARAGORA_LOCAL_LLM")}
TOKENS = {"ARAGORA_API_TOKEN", "ARAGORA_API_TOKEN_PREVIOUS"}
RECEIPTS = {"ARAGORA_RECEIPT_SIGNING_KEY", "ARAGORA_RECEIPT_SIGNING_KEY_PREVIOUS"}
SESSIONS = {f"ARAGORA_{name}{which}" for name in ("JWT_SECRET", "ENCRYPTION_KEY") for which in ("", "_PREVIOUS")}
# Headers for the collector are a secret that is not named like one.
TELEMETRY = {"SENTRY_DSN", "OTEL_EXPORTER_OTLP_HEADERS"}
CHATS = {"SLACK_BOT_TOKEN", "TEAMS_APP_PASSWORD"}
SECRETS = {
    "aragora": STORES | PROVIDERS | TOKENS | RECEIPTS | SESSIONS | TELEMETRY | CHATS
    | {"ARAGORA_POSTGRES_DIRECT_DSN", "SLACK_SIGNING_SECRET", "ARAGORA_SSO_CLIENT_SECRET"},
    "ws-gateway": STORES | TOKENS | SESSIONS | TELEMETRY,
    "debate-worker": STORES | PROVIDERS | RECEIPTS | TELEMETRY | CHATS | {n for n in SESSIONS if "ENCRYPTION" in n},
    "backup": STORES | {"ARAGORA_POSTGRES_DIRECT_DSN"} | TELEMETRY,
    "postgres": {"POSTGRES_PASSWORD"},
    "redis": {"REDIS_PASSWORD"},
    "grafana": {"GRAFANA_PASSWORD"},
    "postgres-exporter": {"POSTGRES_PASSWORD"},
    "redis-exporter": {"REDIS_PASSWORD"},
}
REQUIRED = {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "ARAGORA_API_TOKEN", "ARAGORA_RECEIPT_SIGNING_KEY",
            "ARAGORA_JWT_SECRET", "GRAFANA_PASSWORD"}

# In the template, and read by no container.
FOR_OTHERS = {"COMPOSE_PROJECT_NAME": "Compose itself", "COMPOSE_PROFILES": "Compose itself",
              "ACME_EMAIL": "certbot on the host"}

# Mounted from deploy/, and made when it is installed rather than kept in the repository.
MADE_BY_INSTALLER = {"backups", "nginx/certs"}

# Images with nothing inside to ask with.
WITHOUT_HEALTHCHECK = {"nginx-exporter"}

# What is known to need writing outside its volumes and tmpfs: nothing.
WRITABLE_ROOT = set()

# (executable's setting in the template, how long the service drains at most by default)
DRAINS = {"aragora": ("ARAGORA_DRAIN_SECONDS", "WORKER_DRAIN_SECONDS"), "ws-gateway": ("ARAGORA_WS_DRAIN_SECONDS",),
          "debate-worker": ("WORKER_DRAIN_SECONDS",)}

# seeds: the documented table of limits and reservations.
RESOURCES = {
    "aragora": ("4", "4G", "0.5", "512M"), "postgres": ("2", "2G", "0.25", "256M"), "redis": ("1", "1G", "0.1", "128M"),
    "nginx": ("1", "256M", "0.05", "32M"), "debate-worker": ("2", "2G", "0.25", "256M"),
    "prometheus": ("1", "1G", "0.1", "128M"), "grafana": ("1", "512M", "0.1", "64M"),
}

VARIABLE = re.compile(r"(?<!\$)\$\{([A-Z][A-Z0-9_]*)(:?[-?])?([^}]*)\}")


def expect(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(w) for w in what))


def template():
    """(name, value, whether the line is active) of every setting; those that nothing reads apart."""
    settings, unread = [], []
    head, _, tail = TEMPLATE.read_text().partition("read by nothing yet")
    for line in head.splitlines():
        found = re.fullmatch(r"(#?)([A-Z][A-Z0-9_]*)=(.*)", line)
        if found:
            settings.append((found[2], found[3], found[1] == ""))
        else:
            expect(line == "" or line == "#" or line.startswith("# "), "neither setting nor comment:", line)
    for line in tail.splitlines():
        found = re.fullmatch(r"#   ([A-Z][A-Z0-9_]*)\s+(\S.*)", line)
        if found:
            unread.append(found[1])
    return settings, unread


def filled(folder, **changes):
    """A copy of deploy/ with a .env as the installer makes it."""
    deploy = folder / "deploy"
    shutil.rmtree(deploy, ignore_errors=True)
    deploy.mkdir(parents=True)
    shutil.copy(COMPOSE, deploy)
    text = TEMPLATE.read_text()
    for name, value in changes.items():
        text, count = re.subn(rf"(?m)^#?{name}=.*$", lambda _: f"{name}={value}" if value is not None else "", text)
        expect(count == 1, name, "is in the template", count, "times")
    (deploy / ".env").write_text(text.replace("=CHANGEME", "=0123456789abcdef0123456789abcdef"))
    return deploy / COMPOSE.name


def compose(*arguments, **settings):
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **settings}
    return subprocess.run(["docker-compose", *map(str, arguments)], env=environment, capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL)


def config(file, *arguments, **settings):
    done = compose("-f", file, *arguments, "config", **settings)
    expect(done.returncode == 0, arguments, done.stderr)
    return yaml.safe_load(done.stdout)


def seconds(text):
    found = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", text)
    return int(found[1] or 0) * 60 + int(found[2] or 0)


def check_schema(services, folder):
    done = subprocess.run([pathlib.Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema",
                           "vendor.compose-spec", COMPOSE], capture_output=True, text=True, check=False)
    expect(done.returncode == 0, done.stdout, done.stderr)


def check_any_profiles(services, folder):
    file = filled(folder)
    # What docker-compose prints for one service list: those whose profile is on.
    for count in range(len(PROFILES) + 1):
        for chosen in itertools.combinations(PROFILES, count):
            done = compose("-f", file, *(f"--profile={p}" for p in chosen), "config", "--quiet")
            expect(done.returncode == 0 and not done.stderr, chosen, done.stderr)
    for name, service in services.items():
        profiles = service.get("profiles", [])
        expect(set(profiles) <= set(PROFILES), name, profiles)
        for needed in service.get("depends_on", {}):
            expect(not services[needed].get("profiles"), name, "needs", needed, "which a profile may leave out")
    expected = {"nginx", "aragora", "ws-gateway", "postgres", "redis"}
    expect({n for n, s in services.items() if not s.get("profiles")} == expected)
    expect([n for n, s in services.items() if s.get("profiles") == ["workers"]] == ["debate-worker"])
    expect([n for n, s in services.items() if s.get("profiles") == ["backup"]] == ["backup"])


def check_missing_variables(services, folder):
    """What is required is named in one line; nothing else is required."""
    required = {name for name, kind, _ in VARIABLE.findall(COMPOSE.read_text()) if kind == ":?"}
    expect(required == REQUIRED, required ^ REQUIRED)
    for name in sorted(REQUIRED):
        for value in (None, ""):
            done = compose("-f", filled(folder, **{name: value}), "config", "--quiet")
            expect(done.returncode != 0 and f"set {name} in deploy/.env" in done.stderr, name, done)
    bare = folder / "bare" / COMPOSE.name
    bare.parent.mkdir()
    shutil.copy(COMPOSE, bare)
    done = compose("-f", bare, "config", "--quiet", **{name: "x" for name in REQUIRED})
    expect(done.returncode == 0, "needs more than it says:", done.stderr)


def check_template(services, folder):
    """Every variable is explained, every line is read."""
    settings, unread = template()
    names = [name for name, _, _ in settings]
    expect(len(names) == len(set(names)), "twice:", [n for n in names if names.count(n) > 1])
    used = {name for name, _, _ in VARIABLE.findall(COMPOSE.read_text())}
    expect(used <= set(names), "not in the template:", sorted(used - set(names)))
    idle = set(names) - used - set(FOR_OTHERS)
    expect(not idle, "in the template, and read by nothing:", sorted(idle))
    expect(not used & set(unread), "said to be read by nothing:", used & set(unread))
    expect({n for n, v, _ in settings if v == "CHANGEME"} == REQUIRED | {"ARAGORA_ENCRYPTION_KEY"})
    for name, value, _ in settings:
        expect(not re.search(r"[\s$'\"\\#]", value), name, "means something else in some .env reader:", value)
    # A default that is written twice is the same.
    defaults = {}
    for name, kind, default in VARIABLE.findall(COMPOSE.read_text()):
        if kind == ":-" and default:
            expect(defaults.setdefault(name, default) == default, name, default, defaults[name])
    for name, value, _ in settings:
        if name in defaults and name != "ARAGORA_DOMAIN":
            expect(value == defaults[name], name, "is", value, "in the template,", defaults[name], "in the compose file")


def check_documented_names(services, folder):
    """Every variable that the documents name is in the template, read or not."""
    settings, unread = template()
    documented = """
        ANTHROPIC_API_KEY OPENAI_API_KEY OPENROUTER_API_KEY MISTRAL_API_KEY GEMINI_API_KEY XAI_API_KEY
        POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB REDIS_PASSWORD REDIS_MAXMEMORY
        ARAGORA_ENV ARAGORA_PORT ARAGORA_WS_PORT ARAGORA_LOG_LEVEL ARAGORA_LOG_FORMAT ARAGORA_MAX_CONCURRENT_DEBATES
        ARAGORA_RATE_LIMIT ARAGORA_JWT_SECRET ARAGORA_JWT_SECRET_PREVIOUS ARAGORA_API_TOKEN
        ARAGORA_RECEIPT_SIGNING_KEY ARAGORA_RECEIPT_SIGNING_KEY_PREVIOUS ARAGORA_ALLOWED_ORIGINS
        ARAGORA_TRUSTED_PROXIES ARAGORA_COOKIE_SECURE ARAGORA_COOKIE_HTTPONLY ARAGORA_COOKIE_SAMESITE
        GRAFANA_USER GRAFANA_PASSWORD PROMETHEUS_RETENTION ARAGORA_METRICS_ENABLED ARAGORA_METRICS_PORT
        ARAGORA_DOMAIN ACME_EMAIL TLS_MODE WORKER_REPLICAS WORKER_CONCURRENCY BACKUP_RETENTION_DAYS BACKUP_INTERVAL
        SLACK_BOT_TOKEN SLACK_SIGNING_SECRET TEAMS_APP_ID TEAMS_APP_PASSWORD ARAGORA_SSO_ENABLED SENTRY_DSN
        OTEL_EXPORTER_OTLP_ENDPOINT ARAGORA_DB_BACKEND ARAGORA_REDIS_URL ARAGORA_REQUIRE_DISTRIBUTED
        ARAGORA_MULTI_INSTANCE ARAGORA_DB_POOL_SIZE ARAGORA_DB_POOL_OVERFLOW ARAGORA_DB_COMMAND_TIMEOUT
        ARAGORA_DB_POOL_RECYCLE ARAGORA_RECEIPT_RETENTION_DAYS SLO_AVAILABILITY_TARGET SLO_LATENCY_P99_TARGET_MS
        SLO_DEBATE_SUCCESS_TARGET ARAGORA_USE_SECRETS_MANAGER ARAGORA_IMAGE ARAGORA_ENCRYPTION_KEY""".split()
    missing = set(documented) - {name for name, _, _ in settings} - set(unread) - {"ARAGORA_METRICS_PORT"}
    expect("# " in TEMPLATE.read_text().split("ARAGORA_METRICS_PORT")[0].splitlines()[-1], "said to be fixed")
    expect(not missing, "named in the documents, not in the template:", missing)


def check_images(services, folder):
    for name, service in services.items():
        image = service["image"]
        ours = re.fullmatch(r"\$\{(ARAGORA(?:_BACKUP)?_IMAGE):-(ghcr\.io/an0mium/\S+:latest)\}", image)
        if ours:
            expect(service["build"]["dockerfile"] == "deploy/images/Dockerfile", name)
            expect((ROOT / service["build"]["dockerfile"]).exists(), "no", service["build"]["dockerfile"])
            target = service["build"]["target"]
            text = (ROOT / service["build"]["dockerfile"]).read_text()
            expect(re.search(rf"(?im)^FROM .* AS {target}$", text), "no stage", target)
        else:
            expect(re.fullmatch(r"[a-z0-9/_.-]+:v?\d+(\.\d+)*(-[a-z0-9]+)?", image), name, "is not pinned:", image)


def check_mounts(services, folder):
    for name, service in services.items():
        for volume in service.get("volumes", []):
            source, target, mode = (volume.split(":") if "${" not in volume else (None, volume.split(":")[-2], "ro")
                                    ) if volume.count(":") >= 2 else (*volume.split(":"), "rw")
            expect("docker.sock" not in volume, name, "could start containers as root:", volume)
            if source is None or source == "/":
                expect(mode == "ro" and name in ("promtail", "node-exporter"), name, volume)
            elif source.startswith("./"):
                exists = (DEPLOY / source).exists() or source[2:] in MADE_BY_INSTALLER
                expect(exists, name, "mounts what is not there:", source)
                expect(mode == "ro" or source == "./backups", name, "may write", source)
            else:
                expect(source in yaml.safe_load(COMPOSE.read_text())["volumes"], name, volume)


def check_fences(services, folder):
    for name, service in services.items():
        expect(service.get("restart") == "unless-stopped", name, "restart")
        expect(service.get("security_opt") == ["no-new-privileges:true"], name, "security_opt")
        expect(service.get("cap_drop") == ["ALL"], name, "cap_drop")
        expect(set(service.get("cap_add", [])) == CAPABILITIES.get(name, set()), name, "cap_add")
        expect(service.get("read_only", False) == (name not in WRITABLE_ROOT), name, "read_only")
        for key in ("privileged", "network_mode", "pid", "ipc", "userns_mode", "devices"):
            expect(key not in service, name, key)
        expect(service["logging"]["options"].keys() >= {"max-size", "max-file"}, name, "logs grow without end")
        health = service.get("healthcheck", {})
        expect(health.get("disable", False) == (name in WITHOUT_HEALTHCHECK), name, "healthcheck")
        if name not in WITHOUT_HEALTHCHECK:
            expect(health.keys() >= {"test", "interval", "timeout", "retries", "start_period"}, name, health)
        resources = service["deploy"]["resources"]
        for kind in ("limits", "reservations"):
            expect(resources[kind].keys() >= {"cpus", "memory"}, name, kind)
        if name in RESOURCES:
            limits, reservations = resources["limits"], resources["reservations"]
            found = (limits["cpus"], limits["memory"], reservations["cpus"], reservations["memory"])
            expect(found == RESOURCES[name], name, found)
        expect("stop_grace_period" in service, name, "stop_grace_period")
    for name in ("nginx", "aragora", "ws-gateway", "debate-worker"):
        expect(set(services[name]["ulimits"]) == {"nofile"}, name, "ulimits")
    # Without it nginx runs out of local ports at 470 requests a second: tried with two network namespaces.
    expect(services["nginx"]["sysctls"]["net.ipv4.tcp_tw_reuse"] == "1", "nginx runs out of ports")
    expect({n: s["container_name"] for n, s in services.items() if "container_name" in s} ==
           {"postgres": "aragora-postgres", "redis": "aragora-redis"}, "container names are for what does not scale")


def check_stops_in_time(services, folder):
    defaults = {name: value for name, value, _ in template()[0]}
    for name, settings in DRAINS.items():
        drain = sum(int(defaults[setting]) for setting in settings)
        grace = seconds(services[name]["stop_grace_period"])
        expect(drain + 5 <= grace <= 3 * drain + 10, name, "drains", drain, "s, is given", grace)
    shutdown = re.search(r"worker_shutdown_timeout (\d+)s;", (DEPLOY / "compose/nginx/nginx.conf").read_text())
    expect(int(shutdown[1]) + 5 <= seconds(services["nginx"]["stop_grace_period"]), "nginx")


def check_ports(services, folder):
    """Only what the table says is published, and the rest on 127.0.0.1."""
    published = config(filled(folder), *(f"--profile={p}" for p in PROFILES))["services"]
    for name, service in published.items():
        everyone, local = set(), set()
        for port in service.get("ports", []):
            text = port if isinstance(port, str) else f"{port.get('host_ip', '')}:{port['published']}:{port['target']}"
            # As documented: what is published has the number that it has inside.
            found = re.fullmatch(r"(?:(127\.0\.0\.1):|:)?(\d+):(\d+)(/tcp)?", text)
            expect(found and found[2] == found[3], name, "publishes", text)
            (local if found[1] else everyone).add(int(found[3]))
        expect(everyone == OPEN.get(name, set()) and local == LOCAL.get(name, set()), name, everyone, local)


def check_networks(services, folder):
    networks = yaml.safe_load(COMPOSE.read_text())["networks"]
    expect(networks["backend"] == {"internal": True}, "backend has a way out")
    for name in ("postgres", "redis", "backup"):
        expect(services[name]["networks"] == ["backend"], name, services[name]["networks"])
    expect(services["nginx"]["networks"] == ["frontend"], "nginx can reach the stores")
    # Who calls model providers needs a network with a way out.
    for name in ("aragora", "debate-worker"):
        expect(any(not networks[n].get("internal") for n in services[name]["networks"]), name)
    expect("frontend" not in services["debate-worker"]["networks"])


def check_secrets(services, folder):
    """Each service is given the secrets that it needs and no others."""
    every = set().union(*SECRETS.values())
    settings = {name for name, _, _ in template()[0]}
    looks_secret = {n for n in settings if re.search(r"(PASSWORD|_SECRET|_KEY|_TOKEN|_DSN|_HEADERS|REDIS_URL)(_PREVIOUS)?$", n)}
    expect(looks_secret == every, "secret by name, not by table:", looks_secret ^ every)
    for name, service in services.items():
        # YAML anchors are resolved, so what is merged in is here too.
        text = json.dumps({k: v for k, v in service.items() if k != "build"})
        found = {variable for variable, _, _ in VARIABLE.findall(text)} & every
        expect(found == SECRETS.get(name, set()), name, found ^ SECRETS.get(name, set()))
        for argument in service.get("command", []):
            expect(not {v for v, _, _ in VARIABLE.findall(argument)} & every, name, "shows a secret in `ps`:", argument)


def check_passwords_of_any_kind(services, folder):
    """The password that is in .env is the one that the services get, whatever it contains but quotes."""
    password = "p@ss:w/rd%20+=!&?~"
    expect("'" not in password)
    environment = config(filled(folder, POSTGRES_PASSWORD=password))["services"]["aragora"]["environment"]
    expect(environment["DATABASE_URL"].endswith(f" password='{password}'"), environment["DATABASE_URL"])
    expect(environment["ARAGORA_POSTGRES_DSN"] == "", "the name that goes before must be empty")


def check_scaling(services, folder):
    file = filled(folder)
    expect(config(file, "--profile=workers")["services"]["debate-worker"]["deploy"]["replicas"] == 2)
    more = config(file, "--profile=workers", WORKER_REPLICAS="4")["services"]["debate-worker"]
    expect(more["deploy"]["replicas"] == 4, "the shell's WORKER_REPLICAS")
    file = filled(folder, WORKER_REPLICAS="5")
    expect(config(file, "--profile=workers")["services"]["debate-worker"]["deploy"]["replicas"] == 5, ".env")
    for name in ("aragora", "ws-gateway", "debate-worker"):
        expect("container_name" not in services[name] and "ports" not in services[name], name, "can not be scaled")


def check_overrides(services, folder):
    """The override files of the documents, given with a second -f."""
    file = filled(folder)
    override = file.with_name("docker-compose.override.yml")
    override.write_text("""
services:
  aragora:
    deploy:
      resources:
        limits:
          cpus: '8'
          memory: 8G
  postgres:
    deploy:
      resources:
        limits:
          memory: 4G
""")
    merged = config(file, "-f", override)["services"]
    limits = merged["aragora"]["deploy"]["resources"]["limits"]
    expect((float(limits["cpus"]), limits["memory"]) == (8, "8G"), limits)
    expect(merged["aragora"]["image"].startswith("ghcr.io/") and merged["aragora"]["read_only"] is True)
    limits = merged["postgres"]["deploy"]["resources"]["limits"]
    expect((float(limits["cpus"]), limits["memory"]) == (2, "4G"), limits)
    # Other ports, by .env: an override would only add to the list.
    ports = config(filled(folder, ARAGORA_HTTP_PORT="8080", ARAGORA_HTTPS_PORT="8443", ARAGORA_LOCAL_PORT="18080"))
    expect(json.dumps(ports["services"]["nginx"]["ports"]).count("8443") == 1, ports["services"]["nginx"]["ports"])
    image = config(file, ARAGORA_IMAGE="ghcr.io/an0mium/aragora:v2.8.0")["services"]
    expect(image["aragora"]["image"] == image["ws-gateway"]["image"] == "ghcr.io/an0mium/aragora:v2.8.0", "rollback")


def check_not_committed(services, folder):
    for path in ("deploy/.env", "deploy/backups/aragora-20260212_030000.sql.gz", "deploy/nginx/certs/server.key",
                 "deploy/nginx/acme/x", "deploy/secrets/alertmanager/slack_url"):
        done = subprocess.run(["git", "-C", ROOT, "check-ignore", "-q", path], check=False)
        expect(done.returncode == 0, path, "could be committed")
    tracked = subprocess.run(["git", "-C", ROOT, "ls-files", "deploy"], capture_output=True, text=True, check=True).stdout
    expect("deploy/.env\n" not in tracked and "server.key" not in tracked, "a secret is committed")


def main():
    if not shutil.which("docker-compose"):
        print("docker-compose is not installed")
        return 77
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    with tempfile.TemporaryDirectory(prefix="aragora-compose.") as text:
        for name, check in list(globals().items()):
            if name.startswith("check_"):
                check(services, pathlib.Path(text))
                print(f"ok {name[6:].replace('_', ' ')}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
