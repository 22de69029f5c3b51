import Platform

/// The span of one round trip to Postgres, in the words of OpenTelemetry's conventions for databases: which statements, by
/// what they do and to which table, and never with what values. Nil where nobody records.
struct StatementSpan {
    private let scope: TraceScope
    private let span: Span?

    init?(_ statements: [SQL]) {
        guard let scope = TraceScope.current, !statements.isEmpty else { return nil }
        self.scope = scope
        // Settings of the transaction stand before what is asked.
        let summaries = statements.prefix(8).map(\.summary)
        let summary = summaries.first { $0.contains(" ") } ?? summaries[0]
        var attributes: [Span.Attribute] = [
            .init("db.system.name", "postgresql"), .init("db.query.summary", summary),
            .init("db.operation.name", String(summary.prefix { $0 != " " })),
        ]
        if statements.count > 1 { attributes.append(.init("db.operation.batch.size", statements.count)) }
        span = scope.begin(summary, .client, attributes)
    }

    func end(_ error: PGError? = nil) {
        guard var span else { return }
        let failure = error.map { $0.sqlState?.rawValue ?? $0.code.rawValue }
        if let failure { span.add(.init("error.type", failure)) }
        scope.end(span, failure: failure)
    }
}

extension SQL {
    /// Characters of a ``summary``.
    static let maxSummary = 64

    /// What it does, and to what: `SELECT debates`. Of its fixed text: parameters are no part of it.
    var summary: String {
        let words = text.split { $0 == " " || $0 == "\n" || $0 == "(" || $0 == ")" || $0 == "," }.prefix(400)
        guard let first = words.first?.uppercased() else { return "" }
        // What a WITH does stands behind what it prepares.
        let verb =
            first == "WITH"
            ? words.first { ["INSERT", "UPDATE", "DELETE"].contains($0) }.map(String.init) ?? "SELECT" : first
        let marks = ["INSERT": "INTO", "UPDATE": "UPDATE", "DELETE": "FROM", "SELECT": "FROM"]
        guard let mark = marks[verb] else { return String(verb.prefix(Self.maxSummary)) }
        let table = zip(words, words.dropFirst()).first { $0.0 == mark && Self.isName($0.1) }?.1
        return String((table.map { "\(verb) \($0)" } ?? verb).prefix(Self.maxSummary))
    }

    /// In lower case, as we write names; what else follows these words is a keyword, a number or a parameter.
    private static func isName(_ word: Substring) -> Bool {
        word.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F || $0 == 0x2E || (0x30...0x39).contains($0) }
            && word.utf8.first.map { (0x61...0x7A).contains($0) } == true
    }
}
