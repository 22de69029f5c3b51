import Glibc
import TestSupport

/// Where a stack's logs are, and where the executables come from.
package enum StackFolder {
    package struct Failed: Error, CustomStringConvertible {
        package let description: String
        package init(description: String) { self.description = description }
    }

    /// Lines of a log that a failing test shows; the whole is attached.
    private static let tailLines = 25

    /// ARAGORA_BIN_DIR, or this package's debug build: kill points exist only there.
    package static let binaries: String =
        getenv("ARAGORA_BIN_DIR").map { String(cString: $0) } ?? repository + "/.build/debug"

    private static var repository: String {
        // …/Tests/FaultSupport/StackFolder.swift
        #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
    }

    package static func make(_ name: String) throws -> String {
        let root = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        let path = "\(root)/aragora-\(name)"
        guard mkdir(path, 0o700) == 0 else {
            throw Failed(description: "mkdir \(path): \(String(cString: strerror(errno)))")
        }
        return path
    }

    package static func remove(_ path: String) {
        for file in files(in: path) where unlink("\(path)/\(file)") != 0 { remove("\(path)/\(file)") }
        rmdir(path)
    }

    package static func logs(in path: String) -> [(file: String, text: String)] {
        files(in: path).filter { $0.hasSuffix(".log") }.sorted().map { ($0, read("\(path)/\($0)")) }
    }

    /// The samples of a fuzzer under Tests/Fuzz.
    package static func corpus(_ fuzzer: String) -> [(file: String, bytes: [UInt8])] {
        let folder = "\(repository)/Tests/Fuzz/\(fuzzer)/corpus"
        return files(in: folder).sorted().map { ($0, bytes(of: "\(folder)/\($0)")) }
    }

    package static func tail(of text: String) -> String {
        text.split(separator: "\n").suffix(tailLines).joined(separator: "\n")
    }

    package static func read(_ path: String) -> String { String(decoding: bytes(of: path), as: UTF8.self) }

    /// Replaces a file whole, as programs that hand out secrets do.
    package static func write(_ text: String, to path: String) throws {
        let bytes = Array(text.utf8)
        guard let file = fopen("\(path).new", "we") else { throw Failed(description: "can not write \(path)") }
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count, rename("\(path).new", path) == 0 else {
            throw Failed(description: "can not write \(path)")
        }
    }

    private static func bytes(of path: String) -> [UInt8] {
        guard let file = fopen(path, "re") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return bytes
    }

    package static func files(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }
}
