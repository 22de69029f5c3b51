import Domain
import PostgresClient

/// Pieces of statements that several files share.
enum SQLFragments {
    /// For `status IN …`.
    static let terminal = list(DebateStatus.allCases.filter(\.isTerminal))
    static let open = list(DebateStatus.allCases.filter { !$0.isTerminal })
    /// Engine versions this program may continue.
    static let supportedEngines = EngineVersion.supported.map { Int64($0.number) }

    private static func list(_ statuses: [DebateStatus]) -> String {
        "(" + statuses.map { "'\($0.rawValue)'" }.joined(separator: ", ") + ")"
    }
}

extension SQL.StringInterpolation {
    mutating func appendInterpolation(_ id: DebateID) { appendInterpolation(id.text) }
    mutating func appendInterpolation(_ id: RunnerID) { appendInterpolation(id.text) }
    mutating func appendInterpolation(_ id: KnowledgeID) { appendInterpolation(id.text) }
    mutating func appendInterpolation(_ status: DebateStatus) { appendInterpolation(status.rawValue) }

    /// A point in time, as a timestamptz.
    mutating func appendInterpolation(_ time: Timestamp) {
        appendLiteral("to_timestamp(")
        appendInterpolation(time.milliseconds)
        appendLiteral(" / 1000.0)")
    }

    /// A ratio, as a numeric.
    mutating func appendInterpolation(_ ratio: Ratio) {
        appendLiteral("(")
        appendInterpolation(ratio.tenThousandths)
        appendLiteral(" / 10000.0)")
    }

    mutating func appendInterpolation(_ ratio: Ratio?) {
        appendLiteral("(")
        appendInterpolation(ratio?.tenThousandths)
        appendLiteral(" / 10000.0)")
    }
}

extension Row {
    func debateID(_ column: String) throws(PGError) -> DebateID {
        guard let id = DebateID(try text(column)) else { throw PGError(.decoding, "\(column) is no debate id") }
        return id
    }

    func receiptID(_ column: String) throws(PGError) -> ReceiptID {
        guard let id = ReceiptID(try text(column)) else { throw PGError(.decoding, "\(column) is no receipt id") }
        return id
    }

    func runnerID(_ column: String) throws(PGError) -> RunnerID? {
        guard let text = try optionalText(column) else { return nil }
        guard let id = RunnerID(text) else { throw PGError(.decoding, "\(column) is no runner id") }
        return id
    }

    func status(_ column: String) throws(PGError) -> DebateStatus { try member(column) }

    func timestamp(_ column: String) throws(PGError) -> Timestamp { Timestamp(milliseconds: try milliseconds(column)) }

    func optionalTimestamp(_ column: String) throws(PGError) -> Timestamp? {
        try optionalMilliseconds(column).map { Timestamp(milliseconds: $0) }
    }

    /// A case of a closed set that is stored by its name.
    func member<Member: RawRepresentable<String>>(_ column: String) throws(PGError) -> Member {
        guard let member = try optionalMember(column) as Member? else { throw PGError(.decoding, "\(column) is null") }
        return member
    }

    func optionalMember<Member: RawRepresentable<String>>(_ column: String) throws(PGError) -> Member? {
        guard let text = try optionalText(column) else { return nil }
        guard let member = Member(rawValue: text) else { throw PGError(.decoding, "\(column) has an unknown value") }
        return member
    }
}
