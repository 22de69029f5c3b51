import HTTP
import ServiceKit
import TestSupport
import Testing

@testable import aragora_api

/// Every path that the contract of the original names, held against the table of routes; the answer stands in
/// docs/contract-checks.md.
@Suite("Walk of the contract")
struct ContractWalkTests {
    enum Answer {
        case served
        /// Not there, on purpose.
        case left(String)
    }

    /// Of one section, as the contract spells them without the version.
    struct Section {
        let title: String
        let paths: [(String, Answer)]
    }

    private static func debates(_ words: String...) -> [(String, Answer)] {
        words.map { ("GET /api/debates/{id}/\($0)", .served) }
    }

    private static func all(_ method: String, _ paths: String...) -> [(String, Answer)] {
        paths.map { ("\(method) \($0)", .served) }
    }

    private static let unserved = "nothing here makes it"

    static let sections = [
        Section(
            title: "Create",
            paths: all("POST", "/api/debates", "/api/debate", "/api/debate-this", "/api/debates/batch")),
        Section(
            title: "Read",
            paths: all(
                "GET", "/api/debates", "/api/debates/active", "/api/debates/{id}", "/api/debates/slug/{id}",
                "/api/debates/{id}/export/{format}", "/api/search", "/api/debates/search", "/api/debates/stats",
                "/api/debates/stats/agents", "/api/debates/statistics", "/api/debates/queue/status",
                "/api/debates/estimate-cost")
                + debates(
                    "messages", "events", "convergence", "consensus", "impasse", "summary", "costs", "diagnostics",
                    "followups", "forks", "rounds", "votes", "agents", "positions", "explainability")
                + all(
                    "POST", "/api/debates/{id}/messages", "/api/debates/{id}/fork", "/api/debates/{id}/followup",
                    "/api/search")
                + [
                    ("GET /api/debates/{id}/citations", .left(unserved)),
                    ("GET /api/debates/{id}/evidence", .left(unserved)),
                    ("GET /api/debates/{id}/verification-report", .left(unserved)),
                    ("GET /api/debates/{id}/rhetorical", .left(unserved)),
                    ("GET /api/debates/{id}/trickster", .left(unserved)),
                    ("GET /api/debates/{id}/red-team", .left(unserved)),
                    ("GET /api/history/debates", .left("it is the list of debates")),
                    ("GET /api/debates/{id}/timeline", .left("it is the events")),
                    ("GET /api/debates/{id}/metadata", .left("it is a member of the debate")),
                ]),
        Section(
            title: "Act",
            paths: all(
                "POST", "/api/debates/{id}/cancel", "/api/debates/{id}/stop", "/api/debates/{id}/pause",
                "/api/debates/{id}/resume", "/api/debates/{id}/intervene", "/api/debates/{id}/share",
                "/api/debates/{id}/share/revoke")
                + all("PATCH", "/api/debates/{id}") + all("DELETE", "/api/debates/{id}")
                + all("GET", "/api/shared/{token}")
                + [
                    ("POST /api/debates/{id}/start", .left("a debate begins by itself")),
                    ("POST /api/debates/{id}/clone", .left("a fork after round 0 is one")),
                    ("POST /api/debates/{id}/archive", .left("PATCH with status archived")),
                    ("POST /api/debates/{id}/broadcast", .left(unserved)),
                ]),
        Section(
            title: "Batch and queue",
            paths: all("GET", "/api/debates/batch", "/api/debates/batch/{batch}/status")
                + all(
                    "GET", "/api/queue/jobs", "/api/queue/stats", "/api/queue/workers", "/api/queue/dlq",
                    "/api/queue/stale")
                + all("POST", "/api/queue/dlq/requeue", "/api/queue/cleanup")),
        Section(
            title: "Accounts",
            paths: all(
                "POST", "/api/auth/register", "/api/auth/login", "/api/auth/refresh", "/api/auth/logout",
                "/api/auth/logout-all", "/api/auth/password/change", "/api/auth/password/forgot",
                "/api/auth/password/reset", "/api/auth/mfa/verify", "/api/auth/mfa/setup", "/api/auth/mfa/enable",
                "/api/auth/mfa/disable", "/api/auth/mfa/backup-codes", "/api/auth/mfa", "/api/auth/api-keys",
                "/api/auth/api-key")
                + all("GET", "/api/auth/me", "/api/auth/api-keys", "/api/keys", "/api/auth/sessions")
                + all("PATCH", "/api/auth/me")
                + all("DELETE", "/api/auth/api-keys/{key}", "/api/keys/{key}", "/api/auth/sessions/{session}")
                + all(
                    "GET", "/api/rbac/permissions", "/api/rbac/roles", "/api/rbac/roles/{role}", "/api/rbac/assignments"
                )
                + all("POST", "/api/rbac/check")),
        Section(title: "WebSocket", paths: all("GET", "/ws")),
        Section(
            title: "Receipts",
            paths: all(
                "GET", "/api/receipts", "/api/receipts/{receipt}", "/api/receipts/{receipt}/export",
                "/api/receipts/search", "/api/receipts/stats", "/api/receipts/share/{token}",
                "/api/receipts/signing-key", "/.well-known/aragora-odr-signing-key")
                + all(
                    "POST", "/api/receipts/{receipt}/verify", "/api/receipts/{receipt}/verify-signature",
                    "/api/receipts/{receipt}/share", "/api/receipts/verify-batch", "/api/receipts/batch-export")
                + [
                    (
                        "POST /api/receipts/sign-batch",
                        .left("a receipt is signed when it is made; a later signature would vouch for what nobody saw")
                    )
                ]),
        Section(
            title: "Health and models",
            paths: all(
                "GET", "/healthz", "/readyz", "/ready", "/health", "/api/health", "/api/ready", "/health/build",
                "/health/threads", "/metrics", "/api/status", "/api/readiness", "/api/health/detailed",
                "/api/health/circuits", "/api/health/workers", "/api/health/slow-debates", "/api/circuit-breakers",
                "/api/leaderboard", "/api/rankings", "/api/agents", "/api/agents/health", "/api/matches/recent")
                + [
                    ("GET /api/health/deep", .left("it is /api/health/detailed")),
                    ("GET /api/health/components", .left("it is /api/status")),
                    ("GET /api/health/database", .left("a check of /api/health/detailed")),
                    ("GET /api/health/stores", .left("checks of /api/health/detailed")),
                    ("GET /api/health/job-queue", .left("it is /api/queue/stats")),
                    ("GET /metrics/websocket", .left("at the gateway, whose metrics they are")),
                ]),
        Section(
            title: "Chats",
            paths: all(
                "POST", "/api/bots/slack/commands", "/api/bots/slack/events", "/api/bots/slack/interactions",
                "/api/bots/teams/messages")
                + all("GET", "/api/bots/slack/status", "/api/bots/teams/status")),
    ]

    @Test("what it names is served, but for what is left out with a reason, and that is really not there")
    func walk() {
        let table = Set(
            Routes.table.map { "\($0.method.description) \($0.path)" } + HealthRoutes.paths.map { "GET \($0)" })
        for (path, answer) in Self.sections.flatMap(\.paths) {
            let isThere = table.contains(path)
            switch answer {
            case .served: #expect(isThere, "\(path) answers 404")
            case .left: #expect(!isThere, "\(path) is served: say so")
            }
        }
        #expect(Set(Self.sections.flatMap(\.paths).map(\.0)).count == Self.sections.flatMap(\.paths).count)
    }

    @Test("docs/contract-checks.md says the same")
    func document() throws {
        let rows = Self.sections.map { section in
            let left = section.paths.compactMap { path, answer in
                if case .left(let reason) = answer { "`\(path)`: \(reason)" } else { nil }
            }
            let served = section.paths.count - left.count
            return [section.title, "\(served)", left.isEmpty ? "nothing" : left.joined(separator: "; ")]
        }
        try GeneratedSection.check(
            "walk", of: "docs/contract-checks.md",
            is: GeneratedSection.table(["Part", "Paths served", "Left out, and why"], rows))
    }
}
