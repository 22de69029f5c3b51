import Foundation

/// The files of this repository, read for tests about the text itself.
enum SourceTree {
    /// The folder that holds Package.swift.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// Paths relative to the root, sorted, of the files under a folder whose names end in `suffix`.
    static func files(under folder: String, suffix: String = ".swift") -> [String] {
        let paths = (try? FileManager.default.subpathsOfDirectory(atPath: "\(root)/\(folder)")) ?? []
        return paths.filter { $0.hasSuffix(suffix) }.sorted().map { "\(folder)/\($0)" }
    }

    static func folders(under folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)")) ?? []
        return names.filter { !$0.hasPrefix(".") && isFolder("\(folder)/\($0)") }.sorted()
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(root)/\(path)")
    }

    private static func isFolder(_ path: String) -> Bool {
        var folder: ObjCBool = false
        return FileManager.default.fileExists(atPath: "\(root)/\(path)", isDirectory: &folder) && folder.boolValue
    }

    /// The text of a file given relative to the root.
    static func text(of path: String) throws -> String {
        try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
    }

    /// Every Swift file of the repository, read and taken apart once for all tests.
    private static let everything: Result<[(path: String, text: SwiftText)], any Error> = Result {
        try ["Shared", "Services", "Tests", "Benchmarks"].flatMap { files(under: $0) }
            .map { ($0, SwiftText(try text(of: $0))) }
    }

    /// Every Swift file under the folders, taken apart.
    static func sources(under folders: String...) throws -> [(path: String, text: SwiftText)] {
        try everything.get().filter { source in folders.contains { source.path.hasPrefix("\($0)/") } }
    }

    /// The modules a folder's sources import, each with the file and line that does.
    static func imports(under folder: String) throws -> [(module: String, place: String)] {
        // `import M`, `@testable package import M`, `import struct M.Type`.
        let pattern = try Regex(
            #"^\s*(?:@\w+\s+)*(?:(?:package|internal|private|fileprivate|public)\s+)?import\s+"#
                + #"(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)"#)
        return try sources(under: folder).flatMap { path, text in
            text.codeLines.compactMap { line in
                line.text.firstMatch(of: pattern)?[1].substring.map { (String($0), "\(path):\(line.line)") }
            }
        }
    }
}
