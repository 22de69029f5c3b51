import Testing

/// Names that live in one file each, so that two spellings can not drift apart.
@Suite("Names on wires")
struct WordingTests {
    /// Modules that may write SQL at all. About the product's own tables only Storage may.
    static let mayWriteSQL = ["Shared/Storage/", "Shared/PostgresClient/", "Shared/BackupCore/"]
    static let productTables = [
        "debates", "debate_runs", "runners", "debate_events", "debate_commands", "agent_calls", "debate_messages",
        "critiques", "votes", "receipts", "decision_receipts", "receipt_log", "users", "organizations", "api_keys",
        "audit_log", "agent_ratings", "matches", "idempotency_keys", "webhook_outbox", "installation",
        "knowledge_items", "knowledge_recalls", "webhook_endpoints", "debate_callbacks",
    ]

    @Test("SQL about the product is in Storage only")
    func sql() throws {
        let verb = try Regex(
            #"\b(SELECT\s.*\bFROM|INSERT\s+INTO|UPDATE\s.*\bSET|DELETE\s+FROM|CREATE\s+TABLE|LOCK\s+TABLE)\b"#
        )
        .dotMatchesNewlines()
        let table = try Regex(
            #"\b(FROM|INTO|UPDATE|JOIN|TABLE|ONLY)\s+(aragora\.)?(\#(Self.productTables.joined(separator: "|")))\b"#)
        for (path, text) in try SourceTree.sources(under: "Shared", "Services") where !path.hasPrefix("Shared/Storage/")
        {
            for literal in text.literals where literal.text.contains(verb) {
                #expect(Self.mayWriteSQL.contains { path.hasPrefix($0) }, "\(path):\(literal.line) writes SQL")
                #expect(!literal.text.contains(table), "\(path):\(literal.line) knows a table of the product")
            }
        }
    }

    @Test("Redis key names are in Keyspace.swift only")
    func redisKeys() throws {
        // The chain's genesis is a hash input, not a key.
        let allowed = ["Shared/Messaging/Keyspace.swift", "Shared/Ledger/", "Shared/Domain/"]
        for (path, text) in try SourceTree.sources(under: "Shared", "Services")
        where !allowed.contains(where: { path.hasPrefix($0) }) {
            for literal in text.literals {
                let isKey =
                    literal.text.hasPrefix("aragora:") && !literal.text.hasPrefix("aragora: ")
                    || literal.text.contains(":events:")
                    || literal.text.contains("jobs:debate")
                #expect(!isKey, "\(path):\(literal.line) spells a Redis key: \(literal.text)")
            }
        }
    }

    @Test("environment names are in settings types only")
    func environment() throws {
        // Besides the settings: what arms a test, and what an image says about its build.
        let exempt = ["SettingAliases.swift", "KillPoint.swift", "BuildInfo+Current.swift"]
        let name = try Regex(#"^ARAGORA_[A-Z0-9_]+$"#)
        for (path, text) in try SourceTree.sources(under: "Shared", "Services")
        where !path.contains("Settings") && !exempt.contains(where: { path.hasSuffix($0) }) {
            for literal in text.literals where literal.text.contains(name) {
                Issue.record("\(path):\(literal.line) reads \(literal.text)")
            }
        }
    }

    @Test("metric names are in the catalogue only")
    func metrics() throws {
        let name = try Regex(#"^aragora_[a-z_]+_(total|seconds|bytes)$"#)
        for (path, text) in try SourceTree.sources(under: "Shared", "Services")
        where !path.hasSuffix("MetricName.swift") && !path.hasSuffix("MetricCatalogue.swift") {
            for literal in text.literals where literal.text.contains(name) {
                Issue.record("\(path):\(literal.line) names the metric \(literal.text)")
            }
        }
    }
}
