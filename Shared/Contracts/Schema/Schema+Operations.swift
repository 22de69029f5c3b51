/// The installation's work, its models and its health.
extension Schema {
    package static let queueStatus = object([
        "active": .boolean, "depth": .count, "pending": .count, "running": .count, "paused": .count, "workers": .count,
        "capacity": .count, "dlq": count.orNull.saying("Null while Redis is away."),
    ]).named("QueueStatus")

    private static let job = object([
        "id": .debateID, "job_id": .debateID, "debate_id": .debateID, "task": .text, "status": .debateStatus,
        "priority": .whole, "worker_id": text.orNull, "epoch": .count, "attempts": .count, "queued_at": .time,
        "last_progress_at": .time, "deadline": .time,
    ]).named("Job")
    package static let jobs = page("jobs", of: job).named("JobPage")
    private static let worker = object([
        "worker_id": .text, "kind": word(["worker", "embedded"]), "status": word(["live", "expired"]),
        "capacity": .count, "running": .count, "started_at": .time, "expires_at": .time,
    ]).named("Worker")
    package static let workers = page("workers", of: worker).named("WorkerPage")
    package static let deadJobs = page(
        "jobs", of: object(["job_id": .text, "debate_id": .text, "reason": .text, "dead_at": .time]).named("DeadJob")
    ).named("DeadJobPage")
    package static let requeue = input([
        "job_id": text.ifGiven, "debate_id": text.ifGiven, "job_ids": list(.text).ifGiven,
    ]).saying("Which; all that are listed when none is named.").named("Requeue")
    package static let requeued = object([
        "success": .constant(true), "count": .count,
        "requeued": list(object(["job_id": .text, "debate_id": .debateID]).named("RequeuedJob")),
        "skipped": list(object(["job_id": .text, "reason": .text]).named("SkippedJob")),
    ]).named("Requeued")

    private static let breakerPhase = word(["closed", "open", "half_open"])
    private static let breakerMembers: KeyValuePairs<String, Schema> = [
        "failures": .count, "failure_threshold": .count, "cooldown_seconds": .amount, "cooldown_remaining": .amount,
        "paused_seconds": .amount, "in_flight": .count, "healthy": .boolean,
    ]
    package static let circuitBreakers = object([
        "timestamp": .time, "registry_size": .count,
        "summary": object(["total": .count, "open": .count, "closed": .count, "half_open": .count, "unhealthy": .count]
        ),
        "circuit_breakers": map(object(["status": breakerPhase]).and(breakerMembers).named("CircuitBreaker")),
    ]).named("CircuitBreakers")
    package static let agentHealth = page(
        "agents",
        of: object([
            "name": .text, "provider": .provider, "model": .text, "status": word(["healthy", "unhealthy"]),
            "circuit_breaker": breakerPhase,
        ]).and(breakerMembers).named("AgentHealth")
    ).and(["healthy": .count, "timestamp": .time]).named("AgentHealthPage")
    package static let debateReadiness = object([
        "ready_to_debate": .boolean, "demo": .boolean,
        "providers": map(object(["available": .boolean, "reason": .text]).named("ProviderReadiness")),
        "missing_required": list(.text), "missing_optional": list(.text),
        "storage": object(["type": .text, "status": word(["connected", "unavailable"])]), "features": map(.boolean),
        "timestamp": .time,
    ]).named("DebateReadiness")
    package static let slowDebates = page("slow_debates", of: job).and([
        "status": word(["healthy", "degraded"]), "threshold_seconds": .count, "timestamp": .time,
    ]).named("SlowDebates")
    package static let workerHealth = page("workers", of: worker).and([
        "status": word(["healthy", "unhealthy"]), "live": .count, "capacity": .count, "running": .count,
        "timestamp": .time,
    ]).named("WorkerHealth")

    private static let replica = object([
        "service": .text, "instance": text.saying("Tells replicas apart: host, process, metrics port."), "host": .text,
        "pid": .whole, "metrics_port": .count, "version": .text, "commit": .text, "status": word(ReplicaBody.statuses),
        "reasons": list(.text).saying("Why it is not ready, as it said last."), "degraded": list(.text),
        "started_at": .time, "seen_at": .time, "silent_seconds": .amount,
        "answers": boolean.saying("Whether it is the one that answers this request."),
    ]).named("Replica")
    package static let replicas = page("replicas", of: replica).and([
        "register": word(ReplicaBody.Register.allCases.map(\.rawValue))
            .saying(
                "`none` without Redis, `unavailable` while it does not answer: then only the one that answers is listed."
            ),
        "services": list(
            object([
                "service": .text, "replicas": .count, "ready": .count, "lost": .count, "versions": list(.text),
            ]).named("ReplicaService")),
        "beat_seconds": .count, "lost_after_seconds": .count, "forgotten_after_seconds": .count, "timestamp": .time,
    ]).named("ReplicaPage")

    package static let cleaned = object([
        "success": .constant(true), "idempotency_keys": .count, "expired_shares": .count,
        "removed": map(.count).saying("Rows, by what they were."),
    ]).named("Cleaned")

    private static let backup = object([
        "id": .text, "backup_id": .text,
        "status": word(["pending", "in_progress", "completed", "verified", "failed", "expired"]), "file": .text,
        "size_bytes": count.orNull, "checksum": text.orNull, "rows": .count, "generation": .count,
        "restore_tested": .boolean, "error": text.orNull, "created_at": .time, "finished_at": time.orNull,
        "verified_at": time.orNull,
    ]).named("Backup")
    package static let backups = page("backups", of: backup).and([
        "last_verified": backup.orNull.saying("The newest that was restored once and is kept."),
        "last_verified_age_seconds": count.orNull.saying("Since that one was begun."), "timestamp": .time,
    ]).named("BackupPage")

    package static let debateStatistics = object([
        "since": .time, "total": .count, "active": .count, "completed": .count, "by_status": map(.count),
        "by_consensus": map(.count), "consensus_reached": .count, "consensus_rate": share.orNull,
        "average_confidence": share.orNull, "average_rounds": amount.orNull,
        "average_duration_seconds": amount.orNull, "total_cost_usd": .amount, "demo": .count,
    ]).named("DebateStatistics")
    package static let modelStatistics = page(
        "agents",
        of: object([
            "name": .text, "provider": .provider, "model": .text, "debates": .count, "calls": .count,
            "failures": .count, "success_rate": .share, "tokens_in": .count, "tokens_out": .count,
            "cost_usd": .amount, "average_latency_ms": count.orNull,
        ]).named("ModelStatistics")
    ).named("ModelStatisticsPage")

    private static let costMembers: KeyValuePairs<String, Schema> = [
        "debate_id": .debateID, "total_cost_usd": .amount, "total_tokens_in": .count, "total_tokens_out": .count,
        "unknown_calls": .count,
        "cost_by_agent": map(
            object([
                "provider": .provider, "calls": .count, "failures": .count, "unknown": .count, "tokens_in": .count,
                "tokens_out": .count, "cost_usd": .amount,
            ]).named("AgentCost")),
    ]
    package static let costs = object(costMembers).and(["data": object(costMembers)]).named("Costs")

    package static let estimate = object([
        "num_agents": .count, "num_rounds": .count, "calls": .count, "total_estimated_cost_usd": .amount,
        "worst_cost_usd": .amount, "within_budget": boolean.orNull,
        "breakdown_by_model": list(
            object([
                "provider": .provider, "model": .text, "calls": .count, "estimated_input_tokens": .count,
                "estimated_output_tokens": .count, "input_cost_usd": .amount, "output_cost_usd": .amount,
                "subtotal_usd": .amount, "worst_usd": .amount,
                "price_assumed": .boolean,
            ]).named("EstimateLine")),
        "prices_reviewed": .text, "assumptions": list(.text),
    ]).named("Estimate")

    package static let status = object([
        "status": word(["operational", "degraded"]), "message": .text, "version": .text, "uptime_seconds": .amount,
        "uptime_formatted": .text, "timestamp": .time,
        "components": list(
            object([
                "id": .text, "name": .text, "status": word(["operational", "degraded"]), "response_time_ms": .amount,
                "message": .text,
            ]).named("Component")),
    ]).named("Status")

    private static let ratingMembers: KeyValuePairs<String, Schema> = [
        "name": .text, "agent_name": .text, "provider": .provider, "model": .text, "demo": .boolean, "elo": .number,
        "wins": .count, "losses": .count, "draws": .count, "win_rate": .share, "games": .count, "matches": .count,
        "consistency": share.orNull, "consistency_class": .text,
        "calibration": object(["brier": share.orNull, "forecasts": .count]),
    ]
    private static let ratingRow = object(["rank": .count]).and(ratingMembers).named("Rating")
    package static let leaderboard = page("rankings", of: ratingRow).and(["agents": list(ratingRow)])
        .named("Leaderboard")
    package static let agents = page(
        "agents",
        of: object([
            "available": .boolean, "healthy": boolean.orNull, "circuit_breaker": breakerPhase.orNull,
            "default": .boolean,
        ]).and(ratingMembers).named("Agent")
    ).named("AgentPage")

    package static let models = page(
        "models",
        of: object([
            "provider": .provider, "model": .text, "input_usd_per_million": .amount, "output_usd_per_million": .amount,
            "price_verified": boolean.saying("Whether the provider, or two lists, say so."),
            "price_assumed": boolean.saying("Not in the table: taken for as dear as the dearest in it."),
            "default": boolean.saying("What the provider is asked for when a panel names no model."),
        ]).named("Model")
    ).and(["prices_reviewed": .text]).named("ModelPage")

    package static let matches = page(
        "matches",
        of: object([
            "number": .count, "debate_id": .debateID, "winner": text.orNull, "participants": .agentNames,
            "domain": .text, "elo_changes": map(.number),
            "agents": map(
                object([
                    "name": .text, "result": .text, "votes": .count, "elo_before": .number, "elo_after": .number,
                ])),
            "demo": .boolean, "created_at": .time,
        ]).named("Match")
    ).named("MatchPage")

    // MARK: Health

    package static let alive = object(["status": .constant("ok")]).named("Alive")
    package static let readiness = object([
        "status": word(["ready", "not_ready"]), "reason": text.optional, "degraded": list(.text),
        "database": text.optional, "agents": text.optional,
    ]).named("Readiness")
    package static let health = object([
        "status": .text, "version": .text, "overall": text.optional, "timestamp": time.optional,
        "uptime_seconds": amount.optional,
        "checks": map(object(["status": .text, "message": .text, "response_time_ms": .amount])).optional,
        "warnings": list(.text).optional, "errors": list(.text).optional,
    ]).named("Health")
    package static let build = object([
        "version": .text, "sha": .text, "sha_short": .text, "build_time": .text,
    ]).named("Build")
    package static let threads = object([
        "total": .count, "alive": .count, "shutdown_called": .boolean,
        "threads": list(object(["name": .text, "alive": .boolean, "daemon": .boolean])),
    ]).named("Threads")
}
