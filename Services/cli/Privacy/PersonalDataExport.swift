import Contracts
import Domain
import PostgresClient
import Storage

/// Writes everything that is held about somebody, line by line, in memory that does not grow with it.
struct PersonalDataExport {
    /// Events read at once: each may have a quarter of a megabyte.
    private static let eventPage = 64

    /// What was written.
    struct Counts: Equatable {
        var debates = 0, events = 0, receipts = 0, calls = 0, remarks = 0, facts = 0
    }

    private let reader: PersonalDataReader
    private let debates: DebateStore
    private let walk: LogWalk
    private let receipts: ReceiptReader
    private let accounts: AccountErasure
    private let write: (JSONValue) throws -> Void
    private(set) var counts = Counts()

    init(pool: PGPool, write: @escaping (JSONValue) throws -> Void) {
        reader = PersonalDataReader(pool: pool)
        debates = DebateStore(pool: pool)
        walk = LogWalk(pool: pool)
        receipts = ReceiptReader(pool: pool)
        accounts = AccountErasure(pool: pool)
        self.write = write
    }

    /// - Parameter progress: told after each debate.
    mutating func run(_ subject: DataSubject, progress: (Counts) -> Void) async throws {
        var last: DebateID?
        while case let page = try await reader.debates(of: subject, after: last), let end = page.last {
            for held in page {
                try await export(held.id)
                progress(counts)
            }
            last = end.id
        }
        if case .user(let name) = subject { try await exportRemarks(of: name) }
        try await exportFacts(of: subject)
        if case .user(let name) = subject, let id = UserID(name) { try await exportAccount(id) }
        try write(
            PrivacyReports.exportEnd(
                debates: counts.debates, events: counts.events, receipts: counts.receipts, calls: counts.calls,
                remarks: counts.remarks, facts: counts.facts))
    }

    private mutating func export(_ id: DebateID) async throws {
        // It may be gone since the page was read.
        guard let record = try await debates.debate(id, within: .installation) else { return }
        try write(
            PrivacyReports.debate(
                Self.body(record), createdBy: record.createdBy, user: record.user, organization: record.organization,
                spec: record.specDocument))
        counts.debates += 1
        var seq: Int64 = 1
        while case let page = try await walk.events(of: id, from: seq, limit: Self.eventPage), let end = page.last {
            for event in page { try write(PrivacyReports.event(event, of: id)) }
            counts.events += page.count
            seq = end.seq + 1
        }
        for command in try await reader.commands(of: id) {
            try write(
                PrivacyReports.command(
                    command.number, of: id, kind: command.kind, content: command.content, author: command.author,
                    createdAt: command.createdAt))
        }
        for call in try await reader.calls(of: id) {
            try write(
                PrivacyReports.call(
                    call.reference, of: id, agent: call.agent, state: call.state.rawValue, provider: call.provider,
                    model: call.model, usage: call.usage, createdAt: call.createdAt, settledAt: call.settledAt))
            counts.calls += 1
        }
        if let receipt = try await receipts.receipt(of: id) {
            try write(PrivacyReports.receipt(receipt))
            counts.receipts += 1
        }
    }

    private mutating func exportFacts(of subject: DataSubject) async throws {
        var last: KnowledgeID?
        while case let page = try await reader.facts(of: subject, after: last), let end = page.last {
            for fact in page {
                try write(
                    PrivacyReports.fact(
                        fact.id, content: fact.content, confidence: fact.confidence, topics: fact.topics,
                        metadata: fact.metadata, createdBy: fact.createdBy, createdAt: fact.createdAt))
            }
            counts.facts += page.count
            last = end.id
        }
    }

    private func exportAccount(_ id: UserID) async throws {
        guard let held = try await accounts.held(id) else { return }
        let user = held.user
        try write(
            PrivacyReports.account(
                UserBody(
                    id: user.id, email: user.email, name: user.name, organization: user.organization, role: user.role,
                    isActive: user.isActive, isEmailVerified: user.isEmailVerified, createdAt: user.createdAt,
                    updatedAt: user.updatedAt, lastLoginAt: user.lastLoginAt, hasAPIKey: user.hasAPIKey,
                    tokenVersion: user.tokenVersion, hasSecondFactor: user.secondFactor.isEnabled),
                sessions: held.sessions.map {
                    AccountBody.session(
                        $0.id, createdAt: $0.createdAt, lastUsedAt: $0.lastUsedAt, expiresAt: $0.expiresAt,
                        address: $0.address, userAgent: $0.userAgent, isCurrent: false)
                },
                keys: held.keys.map {
                    AccountBody.Key(
                        id: $0.id, name: $0.name, prefix: $0.prefix, scopes: $0.scopes, createdAt: $0.createdAt,
                        expiresAt: $0.expiresAt, lastUsedAt: $0.lastUsedAt)
                }, identities: held.identities))
        var seq: Int64 = 0
        while case let page = try await accounts.auditEntries(of: id, in: user.organization, after: seq),
            let last = page.last
        {
            for entry in page { try write(PrivacyReports.auditEntry(entry.document)) }
            seq = last.seq
        }
    }

    private mutating func exportRemarks(of user: String) async throws {
        var last: ForeignEvent?
        while case let page = try await reader.foreignEvents(of: user, after: last), let end = page.last {
            for found in page {
                guard let event = try await reader.event(found) else { continue }
                try write(PrivacyReports.remark(event, of: found.debate))
                counts.remarks += 1
            }
            last = end
        }
    }

    private static func body(_ record: DebateRecord) -> DebateBody {
        let summary = record.summary
        var body = DebateBody(
            id: record.id, slug: summary.slug, topic: summary.topic, status: record.status, agents: summary.agents,
            rounds: summary.rounds, consensus: summary.consensus, createdAt: summary.createdAt)
        body.title = summary.title
        body.tags = summary.tags
        body.context = record.context
        body.isDemo = summary.usesDemoAgents
        body.isErased = record.erasedAt != nil
        body.metadata = record.metadata
        body.finalAnswer = record.finalAnswer
        if let result = summary.result {
            body.completedAt = result.completedAt
            body.consensusReached = result.consensusReached
            body.confidence = result.confidence
            body.agreement = result.agreement
            body.winner = result.winner
            body.roundsUsed = result.roundsUsed
            body.duration = result.duration
            body.reason = result.reason
            body.cost = result.cost
        }
        return body
    }
}
