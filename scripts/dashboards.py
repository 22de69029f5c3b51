#!/usr/bin/env python3
"""Usage: scripts/dashboards.py [--check | --zeros]

Writes the Grafana dashboards under deploy/compose/grafana from what is said below: a dashboard is rows of panels, a panel
is a few queries. Grafana 10.4 reads them; nothing else is needed.

  --check   write nothing; fail when a file is not what would be written
  --zeros   print, as JSON, which queries may be zero while all is well, and why (for Tests/Deploy/monitoring)

Exit codes: 0 done or equal, 1 a file differs, 64 wrong arguments.
"""

import dataclasses
import json
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "deploy/compose/grafana"
PROMETHEUS = {"type": "prometheus", "uid": "aragora-prometheus"}
GRID = 24
# What one variable selects, in every query about processes.
SELECTED = 'job=~"$job",instance=~"$instance"'
API = 'job="aragora-api",instance=~"$instance"'
# Probes and scrapes are not users.
USERS = API + ',handler!~"/healthz|/readyz|/ready|/health.*|/api/health|/api/ready|/metrics.*"'


@dataclasses.dataclass
class Query:
    expr: str
    legend: str = ""
    # Why it may well be zero under a load that goes wrong; the live check excuses it.
    zero: str = ""
    instant: bool = False


@dataclasses.dataclass
class Panel:
    title: str
    queries: list
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    height: int = 7
    help: str = ""
    # Bounds of colours, ascending: value to colour; below the first it is green.
    colors: list = dataclasses.field(default_factory=list)
    base: str = "green"
    stacked: bool = False
    maximum: float = None
    words: dict = None


def stat(title, expr, unit="short", colors=(), base="green", width=4, zero="", help="", words=None, legend=""):
    return Panel(title, [Query(expr, legend, zero)], unit, "stat", width, 4, help, list(colors), base, words=words)


def graph(title, *queries, unit="short", width=8, help="", stacked=False, colors=(), maximum=None):
    queries = [query if isinstance(query, Query) else Query(*query) for query in queries]
    return Panel(title, queries, unit, "timeseries", width, 7, help, list(colors), stacked=stacked, maximum=maximum)


def quantiles(metric, labels=""):
    """p50, p95 and p99 of a histogram."""
    chosen = f"{{{labels}}}" if labels else ""
    return [
        Query(f"histogram_quantile({q}, sum by (le) (rate({metric}_bucket{chosen}[$__rate_interval])))", f"p{round(q * 100)}")
        for q in (0.5, 0.95, 0.99)
    ]


UP = {"0": ("down", "red"), "1": ("up", "green")}
MET = {"0": ("missed", "red"), "1": ("met", "green")}
QUIET = "on one machine all goes over the loopback, which is no network"
BUDGET = "What all model calls cost, by the price list of each provider; the demonstration agents cost nothing."

OVERVIEW = ("aragora-overview", "Aragora Overview", "High-level system health.", ["job", "instance"], {
    "State": [
        stat("APIs ready", 'sum(aragora_ready{job="aragora-api"})', colors=[(1, "green")], base="red"),
        stat("Runners alive", "sum(max by (kind) (aragora_workers_live))", colors=[(1, "green")], base="red"),
        stat("Postgres", "min(aragora_postgres_up)", words=UP),
        stat("Redis", "min(aragora_redis_up)", words=UP),
        stat("Targets that answer", "sum(up) / count(up)", "percentunit", [(0.9, "orange"), (1, "green")], "red"),
        stat("Alerts that fire", 'count(ALERTS{alertstate="firing"}) or vector(0)', colors=[(1, "red")], zero="all is well"),
        stat("Age of the newest good backup", "time() - max(aragora_backup_last_success_timestamp)", "s", [(90000, "orange"), (93600, "red")], width=6),
        stat("Certificate is valid for", "min(probe_ssl_earliest_cert_expiry) - time()", "s", [(259200, "orange"), (1209600, "green")], "red", width=6),
        stat("Dead letters", "max(aragora_dead_letter_queue_size)", colors=[(1, "red")], zero="no debate was given up"),
        stat("Providers out", "count(aragora:circuit_open:max2m == 1) or vector(0)", colors=[(1, "orange"), (3, "red")]),
        stat("Bugs found by the program itself", "sum(aragora_invariant_alarms_total) or vector(0)", colors=[(1, "red")], zero="a state that must never happen"),
    ],
    "Traffic": [
        graph("Requests a second", ("sum by (status) (rate(aragora_requests_total{" + USERS + "}[$__rate_interval]))", "{{status}}"), unit="reqps", stacked=True),
        graph("Latency", *quantiles("aragora_request_latency_seconds", USERS), unit="s"),
        graph("Share of requests that fail", ("aragora:http_errors:ratio_rate5m", "5xx"), unit="percentunit"),
        graph("WebSocket connections", ("sum(aragora_websocket_connections)", "connections"), ("sum(aragora_gateway_watched_debates)", "debates watched")),
        graph("Frames sent a second", ("sum by (instance) (rate(aragora_websocket_frames_sent_total{" + 'instance=~"$instance"' + "}[$__rate_interval]))", "{{instance}}")),
        graph("Probes through nginx", ("probe_duration_seconds", "{{instance}}"), unit="s"),
    ],
    "Debates": [
        graph("Debates", ("max(aragora_debates_running)", "running"), ("max(aragora_debates_waiting)", "waiting"), ("aragora:queue_depth:max", "queue")),
        graph("Debates that ended, a minute", ("60 * sum by (outcome) (rate(aragora_debates_total[$__rate_interval]))", "{{outcome}}"), stacked=True),
        graph("Slots taken", ("aragora:runner_utilization:ratio", "{{job}}"), unit="percentunit", maximum=1, colors=[(0.8, "orange")]),
    ],
    "Providers": [
        graph("Calls a second", ("sum by (agent, status) (rate(aragora_agent_calls_total[$__rate_interval]))", "{{agent}} {{status}}")),
        graph("Open circuit breakers", ('max by (agent) (aragora_circuit_breaker_state{state="open"})', "{{agent}}")),
        graph("Cost an hour", ("3600 * sum by (agent) (rate(aragora_agent_cost_usd_total[$__rate_interval]))", "{{agent}}"), unit="currencyUSD", help=BUDGET),
    ],
    "Stores and host": [
        graph("Postgres connections", ("sum(pg_stat_database_numbackends)", "taken"), ("max(pg_settings_max_connections)", "limit")),
        graph("Redis memory", ("redis_memory_used_bytes", "used"), ("redis_memory_max_bytes", "limit"), unit="bytes"),
        graph("Disks", ('1 - node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660|fuse.*"} / node_filesystem_size_bytes', "{{mountpoint}}"), unit="percentunit", maximum=1, colors=[(0.85, "red")]),
        graph("Processor of the host", ('1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))', "{{instance}}"), unit="percentunit", maximum=1),
        graph("Memory of the host", ("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "{{instance}}"), unit="percentunit", maximum=1),
        graph("Network of the host", ("sum by (instance) (rate(node_network_receive_bytes_total[$__rate_interval]))", "in", QUIET), ("sum by (instance) (rate(node_network_transmit_bytes_total[$__rate_interval]))", "out", QUIET), unit="Bps"),
    ],
    "Processes": [
        graph("Memory", ("process_resident_memory_bytes{" + SELECTED + "}", "{{job}} {{instance}}"), unit="bytes"),
        graph("Processor", ("rate(process_cpu_seconds_total{" + SELECTED + "}[$__rate_interval])", "{{job}} {{instance}}"), unit="percentunit"),
        graph("File descriptors in use", ("process_open_fds{" + SELECTED + "} / process_max_fds{" + SELECTED + "}", "{{job}} {{instance}}"), unit="percentunit"),
        graph("Lag of the event loops, p99", ("histogram_quantile(0.99, sum by (le, job, instance) (rate(aragora_event_loop_lag_seconds_bucket{" + SELECTED + "}[$__rate_interval])))", "{{job}} {{instance}}"), unit="s"),
        graph("Jobs that wait on the event loops", ("sum by (job, instance) (aragora_event_loop_queue_depth{" + SELECTED + "})", "{{job}} {{instance}}", "an idle loop has none at the moment it is looked at")),
        graph("Threads", ("process_threads{" + SELECTED + "}", "{{job}} {{instance}}")),
        Panel("What runs", [Query("count by (job, version, commit) (aragora_build_info)", instant=True)], kind="table", width=24, height=6),
    ],
})

API_PERFORMANCE = ("api-performance", "API Performance", "Request latency, throughput, error rates.", ["instance"], {
    "Now": [
        stat("Requests a second", "sum(aragora_http_requests_per_second{" + API + "})", "reqps", help="Over the last 10 s, as the autoscaler sees it."),
        stat("p95", "aragora:http_latency_seconds:p95_rate5m", "s", [(0.5, "orange"), (2, "red")]),
        stat("p99", "aragora:http_latency_seconds:p99_rate5m", "s", [(0.4, "orange"), (0.5, "red")]),
        stat("Fail (5xx)", "aragora:http_errors:ratio_rate5m", "percentunit", [(0.0005, "orange"), (0.001, "red")]),
        stat("Refused by the rate limit, a second", 'sum(rate(aragora_requests_total{status="429",' + API + "}[$__rate_interval])) or vector(0)", "reqps", [(10, "red")]),
        stat("Open connections", "sum(aragora_http_connections{" + API + "})", colors=[(800, "orange")]),
    ],
    "Throughput": [
        graph("By route", ("sum by (method, handler) (rate(aragora_requests_total{" + USERS + "}[$__rate_interval]))", "{{method}} {{handler}}"), unit="reqps", width=12),
        graph("By status", ("sum by (status) (rate(aragora_http_requests_total{" + USERS + "}[$__rate_interval]))", "{{status}}"), unit="reqps", width=12, stacked=True),
    ],
    "Latency": [
        graph("All routes", *quantiles("aragora_http_request_duration_seconds", USERS), unit="s"),
        graph("p95 by route", ("histogram_quantile(0.95, sum by (le, method, handler) (rate(aragora_request_latency_seconds_bucket{" + USERS + "}[$__rate_interval])))", "{{method}} {{handler}}"), unit="s"),
        graph("p95 of what has a promise", ('histogram_quantile(0.95, sum by (le, method, handler) (rate(aragora_request_latency_seconds_bucket{' + API + ',handler=~"/api/debates|/api/leaderboard|/api/health"}[$__rate_interval])))', "{{method}} {{handler}}"),
              unit="s", help="Aims: health 50 ms, list 200 ms, create 500 ms, leaderboard 100 ms."),
        Panel("Requests by duration", [Query("sum by (le) (increase(aragora_request_latency_seconds_bucket{" + USERS + "}[$__rate_interval]))", "{{le}}")], kind="heatmap", width=24, height=8),
    ],
    "Refusals and failures": [
        graph("Answers that are no success", ('sum by (status) (rate(aragora_requests_total{status=~"[45]..",' + USERS + "}[$__rate_interval]))", "{{status}}"), unit="reqps", stacked=True),
        graph("Failures by route", ('sum by (handler) (rate(aragora_requests_total{status=~"5..",' + USERS + "}[$__rate_interval]))", "{{handler}}"), unit="reqps"),
        graph("Refused by the rate limit", ("sum by (scope) (rate(aragora_rate_limit_hits_total{" + API + "}[$__rate_interval]))", "{{scope}}"), unit="reqps"),
        graph("Refused before a route was found", ("sum by (limit) (rate(aragora_limit_hits_total{" + API + "}[$__rate_interval]))", "{{limit}}"), unit="reqps"),
    ],
    "What it rests on": [
        graph("Connections", ("aragora_http_connections{" + API + "}", "{{instance}}"), colors=[(800, "orange")]),
        graph("Postgres pool", ("aragora_postgres_pool_in_use{" + API + "}", "in use {{instance}}", "a statement takes a millisecond"), ("aragora_postgres_pool_size{" + API + "}", "size {{instance}}"), ("aragora_postgres_connections{" + API + "}", "open {{instance}}")),
        graph("Waiting for a connection", ("aragora_postgres_pool_waiting{" + API + "}", "{{instance}}", "the pool is large enough")),
        graph("Statements a second", ("sum by (outcome) (rate(aragora_postgres_queries_total{" + API + "}[$__rate_interval]))", "{{outcome}}"), unit="ops"),
        graph("Processor", ("rate(process_cpu_seconds_total{" + API + "}[$__rate_interval])", "{{instance}}"), unit="percentunit"),
        graph("Memory", ("process_resident_memory_bytes{" + API + "}", "resident {{instance}}"), ("process_virtual_memory_bytes{" + API + "}", "virtual {{instance}}"), unit="bytes"),
        graph("nginx connections", ("nginx_connections_active", "active"), ("nginx_connections_waiting", "idle", "a connection of ours is never idle at the moment it is counted")),
        graph("nginx requests a second", ("rate(nginx_http_requests_total[$__rate_interval])", "{{instance}}"), unit="reqps"),
    ],
})

DEBATES = ("debate-analytics", "Debate Analytics", "Debate duration, consensus rates, agent performance, budget, cost and queue.", ["instance"], {
    "Last hour": [
        stat("Started", "sum(increase(aragora_debates_started_total[1h]))"),
        stat("Completed", "sum(increase(aragora_debates_completed_total[1h]))"),
        stat("Consensus", "max(aragora_consensus_rate)", "percentunit", [(0.5, "orange"), (0.7, "green")], "red"),
        stat("Failed", 'sum(increase(aragora_debates_total{outcome=~"error|timeout"}[1h])) / sum(increase(aragora_debates_total{outcome!="cancelled"}[1h]))', "percentunit", [(0.05, "red")]),
        stat("Cost", "sum(increase(aragora_agent_cost_usd_total[1h]))", "currencyUSD", help=BUDGET),
        stat("Budget spent", "max(aragora_budget_spent_usd) / (max(aragora_budget_limit_usd) > 0)", "percentunit", [(0.8, "orange"), (1, "red")], help="Of running debates that have a budget."),
    ],
    "Debates": [
        graph("A minute", ("60 * sum(rate(aragora_debates_started_total[$__rate_interval]))", "started"), ("60 * sum(rate(aragora_debates_completed_total[$__rate_interval]))", "completed")),
        graph("Outcome, a minute", ("60 * sum by (outcome) (rate(aragora_debates_total[$__rate_interval]))", "{{outcome}}"), stacked=True),
        graph("Duration", *quantiles("aragora_debate_duration_seconds"), unit="s"),
        graph("Consensus reached", ("sum(rate(aragora_consensus_reached_total[$__rate_interval])) / sum(rate(aragora_debates_completed_total[$__rate_interval]))", "share"), unit="percentunit", maximum=1),
        graph("Rounds of a debate", ("sum(rate(aragora_debate_rounds_total[$__rate_interval])) / sum(rate(aragora_debates_total[$__rate_interval]))", "rounds")),
        graph("Convergence of positions", *quantiles("aragora_convergence_score"), maximum=1),
        graph("Receipts a minute", ("60 * sum by (verdict) (rate(aragora_decision_receipts_total[$__rate_interval]))", "{{verdict}}"), stacked=True),
        graph("Oldest running debate", ("time() - max(aragora_debate_start_timestamp > 0)", "age"), unit="s", colors=[(600, "red")]),
        graph("Events a second", ("sum(rate(aragora_events_appended_total[$__rate_interval]))", "appended"), ("sum by (outcome) (rate(aragora_publishes_total[$__rate_interval]))", "published {{outcome}}")),
        graph("Time to append", *quantiles("aragora_append_latency_seconds"), unit="s"),
        graph("Viewers", ("sum(aragora_websocket_connections)", "connections"), ("sum by (source) (rate(aragora_gateway_fills_total[$__rate_interval]))", "fills {{source}}")),
        graph("Committed and not yet published", ("sum(aragora_publish_lag_events)", "events", "Redis keeps up"), ("sum(rate(aragora_websocket_slow_consumer_closes_total[$__rate_interval]))", "slow viewers closed", "no viewer is slow")),
    ],
    "Queue": [
        graph("Waiting, by priority", ("max by (priority) (aragora_queue_depth)", "{{priority}}"), stacked=True, colors=[(100, "orange"), (300, "red")]),
        graph("Longest wait", ("max(aragora_queue_oldest_seconds)", "oldest"), unit="s", colors=[(60, "orange")]),
        graph("Not ended", ("max(aragora_control_plane_queue_depth)", "queued, running or paused"), ("max(aragora_debates_running)", "running")),
        graph("Runners", ("max by (kind) (aragora_workers_live)", "{{kind}}"), ("sum by (job) (aragora_worker_capacity)", "slots of {{job}}"), ("sum by (job) (aragora_active_debates)", "running in {{job}}")),
        graph("Claims a minute", ("60 * sum by (kind) (rate(aragora_claims_total[$__rate_interval]))", "{{kind}}")),
        graph("Lost and given up", ("sum(increase(aragora_leases_lost_total[1h]))", "leases lost in an hour", "no runner was taken for dead while it lived"), ("sum(increase(aragora_dead_letters_total[1h]))", "given up in an hour", "no debate was given up")),
    ],
    "Providers": [
        graph("Latency p50", ("histogram_quantile(0.5, sum by (le, agent) (rate(aragora_agent_latency_seconds_bucket[$__rate_interval])))", "{{agent}}"), unit="s"),
        graph("Latency p95", ("histogram_quantile(0.95, sum by (le, agent) (rate(aragora_agent_latency_seconds_bucket[$__rate_interval])))", "{{agent}}"), unit="s", colors=[(30, "red")]),
        graph("Latency p99", ("histogram_quantile(0.99, sum by (le, agent) (rate(aragora_agent_latency_seconds_bucket[$__rate_interval])))", "{{agent}}"), unit="s"),
        graph("Calls a second", ("sum by (agent, status) (rate(aragora_agent_calls_total[$__rate_interval]))", "{{agent}} {{status}}")),
        graph("Share of calls that fail", ('sum by (agent) (rate(aragora_agent_calls_total{status="error"}[$__rate_interval])) / sum by (agent) (rate(aragora_agent_calls_total[$__rate_interval]))', "{{agent}}"), unit="percentunit", colors=[(0.1, "red")]),
        graph("Failures by kind", ("sum by (agent, error_type) (rate(aragora_agent_errors_total[$__rate_interval]))", "{{agent}} {{error_type}}")),
        graph("Circuit breakers", ("max by (agent, state) (aragora_circuit_breaker_state)", "{{agent}} {{state}}"), help="1 for the state it is in; of several runners any one counts."),
        graph("Tokens a second", ("sum by (agent, direction) (rate(aragora_agent_tokens_total[$__rate_interval]))", "{{agent}} {{direction}}")),
    ],
    "Budget and cost": [
        graph("Cost an hour", ("3600 * sum by (agent) (rate(aragora_agent_cost_usd_total[$__rate_interval]))", "{{agent}}"), unit="currencyUSD", stacked=True, help=BUDGET),
        graph("Cost of a debate", ("sum(rate(aragora_agent_cost_usd_total[$__rate_interval])) / sum(rate(aragora_debates_total[$__rate_interval]))", "mean"), unit="currencyUSD"),
        graph("Budgets of running debates", ("max(aragora_budget_limit_usd)", "limit"), ("max(aragora_budget_spent_usd)", "spent"), unit="currencyUSD"),
        graph("Cut short by their budget, an hour", ("sum(increase(aragora_debates_budget_ended_total[1h]))", "debates")),
    ],
})

SLO = ("slo-dashboard", "SLO Dashboard", "SLO compliance and burn rate.", [], {
    "Objectives": [
        Panel("Met now", [Query("min by (slo_name) (aragora_slo_compliance)", "{{slo_name}}")], kind="stat", width=12, height=5, words=MET),
        Panel("Error budget left", [Query("min by (slo_name) (aragora_slo_error_budget_remaining)", "{{slo_name}}")], "percentunit", "stat", 12, 5, "As the API replicas see it, over their own window.", [(0.25, "orange"), (0.5, "green")], "red"),
    ],
    "Burn rate": [
        graph("5 minutes", ("aragora:slo_burn_rate:5m", "{{slo_name}}"), colors=[(14.4, "red")], help="1 spends the whole budget in 30 days; 14.4 in two."),
        graph("1 hour", ("aragora:slo_burn_rate:1h", "{{slo_name}}"), colors=[(14.4, "red")]),
        graph("6 hours", ("aragora:slo_burn_rate:6h", "{{slo_name}}"), colors=[(6, "red")]),
        graph("1 day", ("aragora:slo_burn_rate:1d", "{{slo_name}}"), colors=[(3, "orange")]),
        graph("3 days", ("aragora:slo_burn_rate:3d", "{{slo_name}}"), colors=[(1, "orange")]),
        graph("As the processes see it", ("max by (slo_name) (aragora_slo_burn_rate)", "{{slo_name}}")),
    ],
    "Behind them": [
        graph("Availability (99.9 %)", ("1 - aragora:http_errors:ratio_rate5m", "5 minutes"), ("1 - aragora:http_errors:ratio_rate15m", "15 minutes"), unit="percentunit"),
        graph("p99 latency (500 ms)", ("aragora:http_latency_seconds:p99_rate5m", "p99"), ("aragora:http_latency_seconds:p95_rate5m", "p95"), unit="s", colors=[(0.4, "orange"), (0.5, "red")]),
        graph("Debates that succeed (95 %)", ('1 - sum(increase(aragora_debates_total{outcome=~"error|timeout"}[1h])) / sum(increase(aragora_debates_total{outcome!="cancelled"}[1h]))', "1 hour"), unit="percentunit"),
        graph("Database", ("min by (job) (aragora_postgres_up)", "{{job}}"), ("pg_up", "exporter")),
        graph("From outside", ("probe_success", "{{instance}}"), ("probe_duration_seconds", "seconds of {{instance}}")),
        graph("Events that count", ("aragora:slo_events:rate5m", "{{slo_name}}"), ("aragora:slo_failures:rate5m", "failures of {{slo_name}}"), unit="ops"),
    ],
    "Alerts": [
        Panel("Firing or about to", [Query('sum by (alertname, severity, alertstate, job) (ALERTS)', instant=True)], kind="table", width=24, height=8),
    ],
})

RECEIPTS = ("receipt-retention", "Receipt Retention", "Decision receipt storage and compliance.", [], {
    "Receipts": [
        stat("Kept", "max(aragora_receipts_stored)"),
        stat("Oldest", "time() - max(aragora_receipt_oldest_timestamp > 0)", "s"),
        stat("To be kept for", "max(aragora_receipt_retention_days)", "d"),
        stat("Oldest may be deleted in", "max(aragora_receipt_retention_days) - (time() - max(aragora_receipt_oldest_timestamp > 0)) / 86400", "d",
             help="Receipts are only kept so far; nothing deletes them."),
        stat("Issued today", "sum(increase(aragora_decision_receipts_total[1d]))"),
        stat("Debates completed today", "sum(increase(aragora_debates_completed_total[1d]))", help="Each completed debate has one receipt."),
        graph("Receipts kept", ("max(aragora_receipts_stored)", "receipts"), width=12),
        graph("Issued an hour, by verdict", ("3600 * sum by (verdict) (rate(aragora_decision_receipts_total[$__rate_interval]))", "{{verdict}}"), width=12, stacked=True),
    ],
    "Where they are": [
        graph("Size of the databases", ("pg_database_size_bytes", "{{datname}}"), unit="bytes"),
        graph("Rows written a second", ("sum by (datname) (rate(pg_stat_database_tup_inserted[$__rate_interval]))", "{{datname}}")),
        graph("Room on the disks", ('node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660|fuse.*"}', "{{mountpoint}}"), unit="bytes"),
    ],
    "Backups": [
        stat("Age of the newest good one", "time() - max(aragora_backup_last_success_timestamp)", "s", [(90000, "orange"), (93600, "red")], width=6),
        stat("Its size", "max(aragora_backup_size_bytes)", "bytes", width=6),
        stat("Succeeded", 'sum(aragora_backup_runs_total{outcome="success"})', width=6, help="Since the backup service started."),
        stat("Failed", 'sum(aragora_backup_runs_total{outcome="failure"})', width=6, colors=[(1, "red")], zero="no backup failed"),
        graph("Age", ("max(aragora_backup_age_seconds)", "newest"), unit="s", width=12),
        # One a day: too few for a rate. These are of all since the service started.
        graph("Duration, with verification", ("sum(aragora_backup_duration_seconds_sum) / sum(aragora_backup_duration_seconds_count)", "mean"),
              ("histogram_quantile(0.95, sum by (le) (aragora_backup_duration_seconds_bucket))", "p95"), unit="s", width=12),
    ],
})

DASHBOARDS = [OVERVIEW, API_PERFORMANCE, DEBATES, SLO, RECEIPTS]


# --- What Grafana reads ----------------------------------------------------------------------------------------------


def thresholds(panel):
    steps = [{"color": panel.base, "value": None}] + [{"color": color, "value": value} for value, color in panel.colors]
    return {"mode": "absolute", "steps": steps}


def defaults(panel):
    """The field defaults: unit, colours, and how a line looks."""
    fields = {"unit": panel.unit, "thresholds": thresholds(panel)}
    if panel.kind == "timeseries":
        fields["color"] = {"mode": "palette-classic"}
        fields["min"] = 0
        fields["custom"] = {
            "lineWidth": 1, "fillOpacity": 25 if panel.stacked else 5, "showPoints": "never", "spanNulls": False,
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "line" if panel.colors else "off"},
        }
    if panel.maximum is not None:
        fields["max"] = panel.maximum
    if panel.words:
        options = {value: {"text": text, "color": color, "index": index} for index, (value, (text, color)) in enumerate(panel.words.items())}
        fields["mappings"] = [{"type": "value", "options": options}]
    return fields


OPTIONS = {
    "timeseries": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}, "tooltip": {"mode": "multi", "sort": "desc"}},
    "stat": {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "colorMode": "value", "graphMode": "area", "textMode": "auto"},
    "table": {"showHeader": True, "cellHeight": "sm"},
    "heatmap": {"calculate": False, "yAxis": {"unit": "s"}, "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64}, "cellGap": 1},
}


def target(query, panel, index):
    made = {"datasource": PROMETHEUS, "refId": chr(ord("A") + index), "expr": query.expr, "legendFormat": query.legend or "__auto"}
    if query.instant:
        made |= {"instant": True, "range": False, "format": "table"}
    else:
        made |= {"instant": False, "range": True, "format": "heatmap" if panel.kind == "heatmap" else "time_series"}
    return made


def panel_json(panel, number, place):
    made = {
        "id": number, "type": panel.kind, "title": panel.title, "datasource": PROMETHEUS, "gridPos": place,
        "targets": [target(query, panel, index) for index, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": defaults(panel), "overrides": []}, "options": OPTIONS[panel.kind],
    }
    if panel.help:
        made["description"] = panel.help
    if panel.kind == "table":
        made["transformations"] = [{"id": "organize", "options": {"excludeByName": {"Time": True, "Value": False}}}]
    return made


def layout(rows):
    """Panels from left to right, a new line when the grid is full, a heading above each row."""
    panels, y = [], 0
    for title, members in rows.items():
        panels.append({"id": len(panels) + 1, "type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"h": 1, "w": GRID, "x": 0, "y": y}})
        y, x, line = y + 1, 0, 0
        for panel in members:
            if x + panel.width > GRID:
                y, x, line = y + line, 0, 0
            panels.append(panel_json(panel, len(panels) + 1, {"h": panel.height, "w": panel.width, "x": x, "y": y}))
            x, line = x + panel.width, max(line, panel.height)
        y += line
    return panels


def variable(name, variables):
    job = 'job=~"$job"' if "job" in variables else 'job=~"aragora-.+"'
    query = {"job": 'label_values(up{job=~"aragora-.+"}, job)', "instance": f"label_values(up{{{job}}}, instance)"}[name]
    return {
        "name": name, "type": "query", "datasource": PROMETHEUS, "definition": query, "query": {"query": query, "refId": "variable"},
        "includeAll": True, "multi": True, "allValue": ".+", "current": {"text": ["All"], "value": ["$__all"]}, "refresh": 2, "sort": 1, "hide": 0, "label": name,
    }


def dashboard(uid, title, text, variables, rows):
    return {
        "uid": uid, "title": title, "description": text, "tags": ["aragora"], "schemaVersion": 39, "version": 1, "editable": True,
        "graphTooltip": 1, "refresh": "30s", "time": {"from": "now-1h", "to": "now"}, "timezone": "", "annotations": {"list": []},
        "links": [{"type": "dashboards", "title": "Aragora", "tags": ["aragora"], "asDropdown": True, "includeVars": True, "keepTime": True}],
        "templating": {"list": [variable(name, variables) for name in variables]}, "panels": layout(rows),
    }


def zeros():
    """Which queries may be zero: dashboard, panel, query, reason."""
    return [
        {"dashboard": uid, "panel": panel.title, "expr": query.expr, "why": query.zero}
        for uid, _, _, _, rows in DASHBOARDS for members in rows.values() for panel in members for query in panel.queries if query.zero
    ]


def main(arguments):
    if arguments in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    if arguments == ["--zeros"]:
        print(json.dumps(zeros(), indent=2))
        return 0
    if arguments not in ([], ["--check"]):
        print(f"unknown arguments: {' '.join(arguments)} (see --help)", file=sys.stderr)
        return 64
    differing = 0
    for description in DASHBOARDS:
        path = FOLDER / f"{description[0]}.json"
        text = json.dumps(dashboard(*description), indent=1, ensure_ascii=False) + "\n"
        if not arguments:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            differing += 1
            print(f"{path.name} is not what scripts/dashboards.py writes", file=sys.stderr)
    return 1 if differing else 0


sys.exit(main(sys.argv[1:]))
