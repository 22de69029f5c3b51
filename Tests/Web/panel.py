"""What the simulated models say, and where they fail: scenarios of the provider simulator."""
GOOD = {
    "claude": {
        "PROPOSE": "**Postgres.** A team of three should buy the system that lets it change its mind.\n\n1. One database answers relational *and* document questions: `jsonb` with an index covers what MongoDB would be chosen for.\n2. Constraints catch the mistakes that a young schema makes every week.\n3. Every hosting company runs it, so leaving one is a matter of days.\n\nThe risk is writing throughput on one node. We should write down **5,000 writes a second** as the line at which this is decided again.",
        "CRITIQUE": "ISSUES:\n1. It names the price of operating the system, and then leaves it out of the comparison.\n2. “Faster at first” is asserted without a figure.\nSUGGESTIONS:\n- Say what one engineer would do in week one, and what it costs to undo.\nSEVERITY: 0.6",
        "REVISE": "**Postgres**, with one change after the criticism: the line at which we decide again is not only throughput.\n\n- Review at **5,000 writes a second**, or when a schema change needs a maintenance window.\n- Keep documents in `jsonb` behind one repository class, so that moving them later touches one file.\n\nThe team already knows SQL; what it does not have is a second person for operations. That decides it.",
    },
    "gpt": {
        "PROPOSE": "I would start with **MongoDB Atlas**. The product will change shape every week for half a year, and a schema that follows the code is one thing less to discuss.\n\n- No migrations while there is no product\n- Managed backups from the first day\n- Reads and writes are one document, so the first features need no joins\n\nWhat speaks against it: reporting across documents is awkward, and people who know it well are rarer here.",
        "CRITIQUE": "ISSUES:\n1. Migrations are work, but work that finds mistakes: the argument counts their price and not their use.\nSUGGESTIONS:\n- Compare the first *three months*, not the first week.\nSEVERITY: 0.4",
        "REVISE": "The criticism holds: most of what I called flexibility is a schema that exists anyway, only unchecked. With `jsonb` the part that really changes can stay loose.\n\nI now prefer **Postgres**, managed, with documents where the shape is unsettled and tables where money or identity is concerned.",
    },
    "gemini": {
        "PROPOSE": "Both would work; what differs is **who gets woken up**.\n\n> A database nobody on the team has operated is a hire you have not made yet.\n\nIf one of the three has run Postgres before, choose Postgres. If none has, choose whichever is managed by someone else, and put the choice behind an interface of ten functions.",
        "CRITIQUE": "ISSUES:\n1. The figure of 5,000 writes a second comes from nowhere.\nSUGGESTIONS:\n- Measure it: a script of fifty lines and one afternoon.\nSEVERITY: 0.5",
        "REVISE": "I keep my position, sharpened: **managed Postgres now, and measure before believing any figure**, mine included.\n\nOne open point that nobody answered: what happens to reporting when documents and tables disagree? That deserves a rule before the first invoice is sent.",
    },
}
PWN = "window.__pwned=1"
HOSTILE = "\n".join([
    f"<script>{PWN}</script><img src=x onerror=\"{PWN}\"><svg onload=\"{PWN}\"><style>*{{display:none}}</style>",
    f"<iframe srcdoc='<script>parent.{PWN}</script>'></iframe><a href=\"javascript:{PWN}\">raw</a>",
    f"[click](javascript:{PWN}) [data](data:text/html,<script>{PWN}</script>) [host](//evil.example/x) [bank](https://evil.example/login)",
    f"![picture](https://evil.example/track.png) **bold <b onclick={PWN}>** `code <script>`",
    "right to left \u202e override \u202c and \u2066 isolate \u2069 and a bell \u0007",
    "# heading </h1><h1>", "> quote", "- item <li>", "```", f"</code></pre><script>{PWN}</script>", "```", "]]> --> \u2028 end",
])


def fixed(milliseconds):
    return {"kind": "fixed", "ms": milliseconds}


def scenario(token_ms=8, latency_ms=120, answers=GOOD, rules=(), words=60):
    # What is asked for stands first; a critique that is quoted has a SEVERITY line too.
    prompts = {"PROPOSE": "TASK: PROPOSE", "REVISE": "TASK: REVISE", "CRITIQUE": "SEVERITY:"}
    spoken = [{"model": model + "*", "prompt": prompt, "answer": texts[task]}
              for model, texts in answers.items() for task, prompt in prompts.items()]
    return {"seed": 7, "latency": fixed(latency_ms), "token_interval": fixed(token_ms), "answer_words": words, "rules": list(rules) + spoken}


def hostile():
    critique = "ISSUES:\n" + HOSTILE + "\nSEVERITY: 0.9"
    text = {"PROPOSE": HOSTILE, "REVISE": HOSTILE, "CRITIQUE": critique}
    return scenario(1, 1, {"claude": text, "gpt": text, "gemini": text})
