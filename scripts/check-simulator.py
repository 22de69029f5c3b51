"""Asks the provider simulator as its users' official client libraries would: anthropic and openai.

Usage: check-simulator.py BASE_URL. Exit code 0 when both libraries understood everything they were sent.
"""

import json
import sys
import urllib.request

import anthropic
import openai

BASE = sys.argv[1]
QUESTION = [{"role": "user", "content": "Should a small team use Postgres?"}]
VOTE = [{"role": "user", "content": "Vote. Candidates:\n- ada\n- bob\nAnswer with:\nCHOICE: <name>"}]


def scenario(value):
    request = urllib.request.Request(f"{BASE}/scenario", json.dumps(value).encode(), method="PUT")
    urllib.request.urlopen(request).close()


def check(what, holds):
    if not holds:
        sys.exit(f"failed: {what}")
    print(f"ok: {what}")


def raised(kind, call):
    try:
        call()
    except kind as error:
        return error
    return None


claude = anthropic.Anthropic(base_url=BASE, api_key="any", max_retries=0)
gpt = openai.OpenAI(base_url=f"{BASE}/v1", api_key="any", max_retries=0)


def claude_ask(**more):
    return claude.messages.create(model="claude-test", max_tokens=100, messages=QUESTION, **more)


def claude_stream(messages=QUESTION):
    with claude.messages.stream(model="claude-test", max_tokens=100, messages=messages) as stream:
        return "".join(stream.text_stream), stream.get_final_message()


def gpt_ask(**more):
    return gpt.chat.completions.create(model="gpt-test", messages=QUESTION, **more)


def gpt_stream(messages=QUESTION):
    chunks = list(gpt.chat.completions.create(
        model="gpt-test", messages=messages, stream=True, stream_options={"include_usage": True}))
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices), chunks


text, final = claude_stream()
check("anthropic streams text", len(text) > 50 and final.content[0].text == text)
check("anthropic counts tokens", final.usage.output_tokens > 10 and final.usage.input_tokens > 0)
check("anthropic says why it stopped", final.stop_reason == "end_turn")
check("anthropic answers whole", claude_ask().content[0].text == text)
check("anthropic votes by name", claude_stream(VOTE)[0].splitlines()[0] in ("CHOICE: ada", "CHOICE: bob"))

text, chunks = gpt_stream()
check("openai streams text", len(text) > 50)
check("openai counts tokens", chunks[-1].usage.completion_tokens > 10 and not chunks[-1].choices)
check("openai says why it stopped", chunks[-2].choices[0].finish_reason == "stop")
check("openai answers whole", gpt_ask().choices[0].message.content == text)
check("openai votes by name", gpt_stream(VOTE)[0].splitlines()[0] in ("CHOICE: ada", "CHOICE: bob"))

for status, theirs in ((429, "RateLimitError"), (500, "InternalServerError")):
    scenario({"rules": [{"fault": {"kind": "status", "status": status, "retry_after_seconds": 7}}]})
    for name, library, ask in (("anthropic", anthropic, claude_ask), ("openai", openai, gpt_ask)):
        error = raised(getattr(library, theirs), ask)
        check(f"{name} takes {status} for {theirs}", error is not None and error.status_code == status)
        check(f"{name} sees Retry-After of {status}", error.response.headers["retry-after"] == "7")
scenario({"rules": [{"fault": {"kind": "status", "status": 529}}]})
error = raised(anthropic.APIStatusError, claude_ask)
check("anthropic takes 529 for an overload", error is not None and "overloaded_error" in str(error.body))

scenario({"rules": [{"fault": {"kind": "error_event", "type": "overloaded_error", "message": "busy"}}]})
check("anthropic sees an error inside a stream", raised(anthropic.APIStatusError, claude_stream) is not None)
check("openai sees an error inside a stream", raised(openai.APIError, gpt_stream) is not None)

scenario({"rules": [{"fault": {"kind": "cut"}}]})
check("anthropic sees a cut", raised(Exception, claude_stream) is not None)
check("openai sees a cut", raised(Exception, gpt_stream) is not None)

scenario({})
ledger = json.load(urllib.request.urlopen(f"{BASE}/ledger"))
# Three questions to each library were answered; nine met a fault.
check("the ledger counted", ledger["totals"] == {"sent": 15, "completed": 6})
