import Foundation

/// The committed samples under Tests/Golden.
package enum Golden {
    /// The lines of a sample file, empty ones left out.
    package static func lines(_ name: String) throws -> [[UInt8]] {
        try bytes(name).split(separator: UInt8(ascii: "\n")).map { Array($0) }
    }

    /// The bytes of a sample file, without a newline at its end.
    package static func bytes(_ name: String) throws -> [UInt8] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        var bytes = [UInt8](try Data(contentsOf: folder.appending(path: "Golden/\(name)")))
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        return bytes
    }
}
