import Glibc
import Testing

@testable import Platform

@Suite("A pid file")
struct PIDFileTests {
    static func withFolder(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/aragora-pid-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { rmdir(folder) }
        try body(folder)
    }

    static func content(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        return String(decoding: bytes[..<fread(&bytes, 1, 64, file)], as: UTF8.self)
    }

    static func write(_ text: String, to path: String) throws {
        let file = try #require(fopen(path, "we"))
        fputs(text, file)
        fclose(file)
    }

    /// Everything in a folder but `.` and `..`.
    static func entries(_ folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    @Test("holds the number, can be read by everybody, and goes with the process")
    func life() throws {
        try Self.withFolder { folder in
            let path = "\(folder)/api.pid"
            let file = try PIDFile(path: path)
            #expect(Self.content(path) == "\(getpid())\n")
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o644)
            #expect(Self.entries(folder) == ["api.pid"])
            file.remove()
            #expect(Self.entries(folder).isEmpty)
        }
    }

    @Test("refuses while another holds it, and leaves that one's alone")
    func held() throws {
        try Self.withFolder { folder in
            let path = "\(folder)/api.pid"
            let first = try PIDFile(path: path)
            let refused = #expect(throws: PIDFile.Refused.self) { _ = try PIDFile(path: path) }
            #expect(refused?.description == "\(path): process \(getpid()) holds it and runs")
            #expect(Self.content(path) == "\(getpid())\n")
            #expect(Self.entries(folder) == ["api.pid"])
            first.remove()
            try PIDFile(path: path).remove()
        }
    }

    @Test("replaces what a dead process left, whatever it says", arguments: ["1\n", "", "4194304\n", "nonsense"])
    func stale(text: String) throws {
        try Self.withFolder { folder in
            let path = "\(folder)/api.pid"
            try Self.write(text, to: path)
            let file = try PIDFile(path: path)
            #expect(Self.content(path) == "\(getpid())\n")
            file.remove()
            #expect(Self.entries(folder).isEmpty)
        }
    }

    @Test("leaves a file alone that is not its own any more")
    func replaced() throws {
        try Self.withFolder { folder in
            let path = "\(folder)/api.pid"
            let file = try PIDFile(path: path)
            unlink(path)
            try Self.write("77\n", to: path)
            file.remove()
            #expect(Self.content(path) == "77\n")
            unlink(path)
        }
    }

    @Test("says why it can not be had")
    func impossible() throws {
        let refused = #expect(throws: PIDFile.Refused.self) { _ = try PIDFile(path: "/nowhere/api.pid") }
        #expect(refused?.description == "/nowhere/api.pid.\(getpid()): No such file or directory")
    }

    @Test("a lock of another program is a lock", .timeLimit(.minutes(1)))
    func race() async throws {
        var template = Array("/tmp/aragora-pid-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let path = "\(folder)/api.pid"
        try Self.write("1\n", to: path)
        let binary = "/usr/bin/flock"
        try #require(access(binary, X_OK) == 0)
        // Another program's lock counts too: what matters is that the file is locked, not who wrote it.
        var pid = pid_t()
        // It says when it has the lock: whoever touches the file before may have it lock one that is there no more.
        let ready = "\(folder)/ready"
        let command = ": >\(ready); exec /bin/sleep 60"
        let words = [binary, "--no-fork", "--nonblock", path, "/bin/sh", "-c", command]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        try #require(posix_spawn(&pid, binary, nil, nil, &arguments, environ) == 0)
        while access(ready, F_OK) != 0 { await Task.yield() }
        #expect(throws: PIDFile.Refused.self) { _ = try PIDFile(path: path) }
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        try PIDFile(path: path).remove()
        unlink(ready)
        #expect(Self.entries(folder).isEmpty)
        rmdir(folder)
    }
}
