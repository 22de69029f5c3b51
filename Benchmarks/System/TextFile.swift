import Glibc

/// Small files, read and written whole; what a benchmark needs of /proc and no more.
enum TextFile {
    /// Largest file that is read.
    static let maxBytes = 1 << 20

    /// Empty when the file is not there.
    static func read(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        var bytes: [UInt8] = []
        while bytes.count < maxBytes {
            let count = fread(&buffer, 1, buffer.count, file)
            guard count > 0 else { break }
            bytes += buffer[0..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func write(_ bytes: [UInt8], to path: String) -> Bool {
        guard let file = fopen(path, "w") else { return false }
        defer { fclose(file) }
        return fwrite(bytes, 1, bytes.count, file) == bytes.count
    }
}

/// Lines for the person who waits. Written at once, so that a pipe shows them too.
enum Terminal {
    static func out(_ text: String) { write(1, text) }
    static func error(_ text: String) { write(2, text) }

    private static func write(_ descriptor: Int32, _ text: String) {
        let bytes = Array((text + "\n").utf8)
        _ = Glibc.write(descriptor, bytes, bytes.count)
    }
}

/// A folder of the run, removed with what is in it.
enum ScratchFolder {
    static func make() throws -> String {
        var template = Array("/tmp/aragora-bench.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw BenchFailure("no temporary folder") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func remove(_ path: String) async {
        _ = try? await Command.run("/bin/rm", ["-rf", "--", path])
    }
}
