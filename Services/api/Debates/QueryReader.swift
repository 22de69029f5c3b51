import Domain
import HTTP
import Platform

/// Reads query items into values and remembers every problem, so that one answer names all.
struct QueryReader {
    static let timeCharacters = 64

    private let query: QueryItems
    private var problems: [FieldProblem] = []

    init(_ query: QueryItems) { self.query = query }

    mutating func int(_ name: String, default fallback: Int, in range: ClosedRange<Int>) -> Int {
        guard let text = query[name] else { return fallback }
        guard let value = Int(text), range.contains(value) else {
            problems.append(
                FieldProblem(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)"))
            return fallback
        }
        return value
    }

    mutating func time(_ name: String) -> Timestamp? {
        guard let text = text(name, maxCharacters: Self.timeCharacters) else { return nil }
        if let milliseconds = ISO8601.milliseconds(text) { return Timestamp(milliseconds: milliseconds) }
        if let milliseconds = ISO8601.milliseconds(text + "T00:00:00Z") { return Timestamp(milliseconds: milliseconds) }
        if let seconds = Double(text), seconds.isFinite, abs(seconds) < 1e11 {
            return Timestamp(milliseconds: Int64(seconds * 1000))
        }
        problems.append(FieldProblem(name, "must be a time such as 2026-01-31T12:00:00Z"))
        return nil
    }

    mutating func text(_ name: String, maxCharacters: Int) -> String? {
        guard let text = query[name], !text.isEmpty else { return nil }
        guard text.count <= maxCharacters else {
            problems.append(FieldProblem(name, "must have at most \(maxCharacters) characters"))
            return nil
        }
        return text
    }

    mutating func refuse(_ name: String, _ message: String) { problems.append(FieldProblem(name, message)) }

    /// Call when everything was read.
    func finish() throws {
        guard problems.isEmpty else { throw ValidationFailure(problems) }
    }
}
