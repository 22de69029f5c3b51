/// A dump as one transaction: what `psql` reads.
///
/// The COMMIT comes only after the last byte proved to be the last. If we die in the middle, psql sees the end of its
/// input without one, and Postgres keeps nothing.
final class RestoreScript {
    private enum Part { case head, dump, end }

    private let text: DumpText
    private let preamble: String
    private var part = Part.head

    /// - Parameter preamble: runs first, in the same transaction.
    init(path: String, preamble: String = "", stop: StopFlag) throws {
        text = try DumpText(path: path, stop: stop)
        self.preamble = preamble
    }

    func next() throws -> [UInt8]? {
        switch part {
        case .head:
            part = .dump
            return Array("BEGIN;\n\(preamble)\n".utf8)
        case .dump:
            if let piece = try text.next() { return piece }
            part = .end
            return Array("\nCOMMIT;\n".utf8)
        case .end: return nil
        }
    }
}
