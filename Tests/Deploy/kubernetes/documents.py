"""What the repository's documents say: settings by executable, metric names."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[3]
SERVICES = ("aragora-api", "aragora-ws-gateway", "aragora-debate-worker", "aragora-backup")
EXECUTABLES = SERVICES + ("aragora",)


class Setting:
    """One row of docs/configuration.md."""

    def __init__(self, name, value, default, meaning):
        self.name, self.value = name, value
        self.default = default.strip("`")
        self.is_required = default == "required" or "Required in production" in meaning

    def refuses(self, text):
        """Why `text` is no value of this setting; nothing when it is."""
        if bounds := re.search(r"(\d+) to (\d+)", self.value):
            low, high = map(int, bounds.groups())
            if not text.isdigit() or not low <= int(text) <= high:
                return f"{text!r} is not {self.value}"
        if choices := re.findall(r"`([^`]+)`", self.value):
            if text not in choices:
                return f"{text!r} is none of {', '.join(choices)}"
        return None


def settings():
    """{executable: {name: Setting}}"""
    found = {name: {} for name in EXECUTABLES}
    text = (ROOT / "docs/configuration.md").read_text()
    for section in re.split(r"^### Read by ", text.split("<!-- /settings -->")[0], flags=re.M)[1:]:
        head, _, body = section.partition("\n")
        readers = SERVICES if head == "every service" else re.findall(r"`([^`]+)`", head)
        for row in re.findall(r"^\| `.*\|$", body, flags=re.M):
            names, value, default, meaning = [cell.strip() for cell in row.strip("|").split(" | ")]
            setting = Setting(re.findall(r"`([^`]+)`", names)[0], value, default, meaning)
            for reader in readers:
                found[reader][setting.name] = setting
    if any(not names for names in found.values()):
        raise SystemExit("docs/configuration.md: an executable without settings; did its headings change?")
    return found


def metrics():
    """Every series name that our services export, those of histograms included."""
    text = (ROOT / "docs/metrics.md").read_text()
    text = re.sub(r"<!-- pending -->.*?<!-- /pending -->", "", text, flags=re.S)
    names = set()
    for name, kind in re.findall(r"^\| `(\w+)` \| (counter|gauge|histogram) \|", text, flags=re.M):
        names |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"} if kind == "histogram" else {name}
    if len(names) < 50:
        raise SystemExit("docs/metrics.md: hardly any metric; did its tables change?")
    return names


def image_stages():
    """{stage of the Dockerfile: (its executables, its user)}"""
    found, stage = {}, None
    for line in (ROOT / "deploy/images/Dockerfile").read_text().splitlines():
        if start := re.match(r"FROM (\S+) AS (\S+)", line):
            inherited = found.get(start[1], (set(), None))
            stage = start[2]
            found[stage] = (set(inherited[0]), inherited[1])
        elif copied := re.match(r"COPY --from=build (/out/bin/.*) /usr/local/bin/$", line):
            names = EXECUTABLES if copied[1] == "/out/bin/" else [pathlib.Path(path).name for path in copied[1].split()]
            found[stage][0].update(names)
        elif user := re.match(r"USER (\d+)", line):
            found[stage] = (found[stage][0], int(user[1]))
    return found
