import Foundation
package import Testing

/// The committed samples under Tests/Golden. `WRITE_GOLDEN=1` writes what ``check(_:is:sourceLocation:)`` is given, once a
/// change of a wire form is meant.
package enum Golden {
    /// The lines of a sample file, empty ones left out.
    package static func lines(_ name: String) throws -> [[UInt8]] {
        try bytes(name).split(separator: UInt8(ascii: "\n")).map { Array($0) }
    }

    /// The bytes of a sample file, without a newline at its end.
    package static func bytes(_ name: String) throws -> [UInt8] {
        var bytes = [UInt8](try Data(contentsOf: url(name)))
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        return bytes
    }

    /// Expects that the lines of a sample file are these.
    package static func check(
        _ name: String, is lines: [[UInt8]], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        if ProcessInfo.processInfo.environment["WRITE_GOLDEN"] == "1" {
            try Data(lines.flatMap { $0 + [UInt8(ascii: "\n")] }).write(to: url(name))
        }
        let golden = try Self.lines(name).map { String(decoding: $0, as: UTF8.self) }
        #expect(lines.map { String(decoding: $0, as: UTF8.self) } == golden, sourceLocation: sourceLocation)
    }

    /// Expects that a whole document, its path relative to the repository, is this text.
    package static func check(
        document path: String, is text: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let url = root.appending(path: path)
        if ProcessInfo.processInfo.environment["WRITE_GOLDEN"] == "1" {
            try Data(text.utf8).write(to: url)
        }
        let stored = (try? String(contentsOf: url, encoding: .utf8)) ?? ""
        let (old, new) = (stored.split(separator: "\n"), text.split(separator: "\n"))
        let first = zip(old, new).first { $0 != $1 }.map { "\n-\($0)\n+\($1)" } ?? ""
        #expect(stored == text, "\(path) differs; WRITE_GOLDEN=1 writes it\(first)", sourceLocation: sourceLocation)
    }

    private static func url(_ name: String) -> URL {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return folder.appending(path: "Golden/\(name)")
    }
}
