"""The command blocks of the documents under docs/ and deploy/, and who runs each.

Every ```bash block of an operator's document is preceded by one comment that says how it is kept true:

    <!-- run: host -->            executed by Tests/Deploy/docs/check.py on a stack of real processes
    <!-- run: compose -->         executed by scripts/check-stack.sh on a stack of real containers
    <!-- not run: REASON -->      can not be executed by us, and why

`run:` may be followed by `expect: REGEX`: what the block's output must hold. Blocks of one document share one shell,
in their order, so that a variable set in one is there in the next.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PLACES = ("host", "compose")
MINIMUM_REASON = 12

# What operators type from. README.md's commands are those of scripts/demo.sh and up.sh, which the tests run.
DOCUMENTS = (
    "docs/deployment.md", "docs/operations.md", "docs/scaling.md", "docs/disaster-recovery.md",
    "docs/troubleshooting.md", "docs/incident-response.md", "docs/compliance.md", "docs/data-classification.md",
    "docs/privacy.md", "docs/accounts.md", "deploy/README.md", "deploy/compose/README.md", "deploy/kubernetes/README.md",
    "deploy/systemd/README.md",
)

ANNOTATION = re.compile(
    r"^\s*<!--\s*(?:run:\s*(?P<place>[a-z]+)(?:\s+expect:\s*(?P<expect>.+?))?|not run:\s*(?P<reason>.+?))\s*-->\s*$")


@dataclass(frozen=True)
class Block:
    """One ```bash block. Exactly one of `place` and `reason` is set when its annotation is right."""

    document: str
    line: int
    text: str
    place: str | None
    expect: str | None
    reason: str | None

    @property
    def name(self) -> str:
        return f"{self.document}:{self.line}"


def parse(document: str, text: str) -> list[Block]:
    """The bash blocks of a Markdown text, with the annotation above each. Lines are numbered from 1."""
    blocks, lines, index = [], text.splitlines(), 0
    while index < len(lines):
        opening = re.match(r"^(\s*)```(?:bash|sh|shell|console)\s*$", lines[index])
        if not opening:
            index += 1
            continue
        start, indent = index, len(opening.group(1))
        body = []
        index += 1
        while index < len(lines) and lines[index].strip() != "```":
            body.append(lines[index][indent:] if lines[index][:indent].isspace() or indent == 0 else lines[index])
            index += 1
        index += 1
        above = start - 1
        while above >= 0 and not lines[above].strip():
            above -= 1
        note = ANNOTATION.match(lines[above]) if above >= 0 else None
        fields = note.groupdict() if note else {"place": None, "expect": None, "reason": None}
        blocks.append(Block(document, start + 1, "\n".join(body), **fields))
    return blocks


def load(documents=DOCUMENTS, root: Path = ROOT) -> list[Block]:
    """The blocks of every document that exists, in order."""
    found = []
    for document in documents:
        path = root / document
        if path.exists():
            found += parse(document, path.read_text(encoding="utf-8"))
    return found


def problems(blocks: list[Block]) -> list[str]:
    """One sentence for each block that nobody runs and that gives no reason."""
    said = []
    for block in blocks:
        if block.place is None and block.reason is None:
            said.append(f"{block.name}: no '<!-- run: … -->' or '<!-- not run: … -->' above it")
        elif block.place is not None and block.place not in PLACES:
            said.append(f"{block.name}: run: {block.place} is none of {', '.join(PLACES)}")
        elif block.reason is not None and len(block.reason) < MINIMUM_REASON:
            said.append(f"{block.name}: '{block.reason}' is no reason")
        elif not block.text.strip():
            said.append(f"{block.name}: empty")
    return said


def script(blocks: list[Block]) -> str:
    """One shell script of the blocks; a line on descriptor 3 says where each begins."""
    parts = ["set -euo pipefail"]
    for number, block in enumerate(blocks):
        parts += [f"printf '\\n@@ {number}\\n'", block.text]
    return "\n".join(parts + ["printf '\\n@@ end\\n'"]) + "\n"
