#!/usr/bin/env python3
"""Usage: decode_spans.py < INPUT

INPUT is a number of spans, a line for each that says what was meant, an empty line, and a gzipped
ExportTraceServiceRequest. Decodes it with OpenTelemetry's package and compares. Exit codes: 0 equal, 1 not.
"""
import gzip
import sys

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def text(value):
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return "s" + value.string_value.encode().hex()
    return f"i{value.int_value}" if kind == "int_value" else f"b{int(value.bool_value)}"


def context(item):
    return f"00-{item.trace_id.hex()}-{item.span_id.hex()}-{item.flags:02x}"


def line(span):
    failure, pairs = "-", []
    for item in span.attributes:
        if item.key == "error.type":
            failure = item.value.string_value
        else:
            pairs.append(f"{item.key}={text(item.value)}")
    assert (span.status.code == 2) == (failure != "-"), span
    return " ".join([
        context(span), span.parent_span_id.hex() or "-", "n" + span.name.encode().hex(), str(span.kind),
        str(span.start_time_unix_nano), str(span.end_time_unix_nano), failure, ";".join(map(context, span.links)) + "|",
    ]) + " " + ",".join(pairs)


data = sys.stdin.buffer
meant = [data.readline().decode().rstrip("\n") for _ in range(int(data.readline()))]
assert data.readline() == b"\n"
request = ExportTraceServiceRequest()
request.ParseFromString(gzip.decompress(data.read()))
(group,) = request.resource_spans
assert [(item.key, item.value.string_value) for item in group.resource.attributes] == [("service.name", "test"), ("empty", "")]
(scope,) = group.scope_spans
assert (scope.scope.name, scope.scope.version) == ("aragora", "1.2.3")
found = [line(span) for span in scope.spans]
wrong = [pair for pair in zip(meant, found) if pair[0] != pair[1]]
if wrong or len(meant) != len(found):
    print(f"{len(meant)} spans were meant, {len(found)} found, {len(wrong)} differ; the first:", *wrong[:1], file=sys.stderr)
    sys.exit(1)
