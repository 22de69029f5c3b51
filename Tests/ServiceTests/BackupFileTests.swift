import Compression
import Contracts
import Foundation
import Glibc
import Testing

@testable import BackupCore

/// What is on the disk: whole or refused.
@Suite("Backup files")
struct BackupFileTests {
    static let text = "SELECT 1;\n" + String(repeating: "INSERT INTO t VALUES ('häßlich');\n", count: 20_000)
    static let trailer = "--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n"

    @Test("what was compressed is read back, with its size and its hash")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("dump.gz", compressed(Self.text + Self.trailer))
        var text: [UInt8] = []
        let facts = try DumpFile(path: path).read(stop: StopFlag()) { text += $0 }
        #expect(text == Array((Self.text + Self.trailer).utf8))
        #expect(facts.uncompressedBytes == Int64(text.count))
        #expect(facts.sizeBytes == Int64(try Data(contentsOf: URL(filePath: path)).count))
        #expect(facts.sha256.count == 64)
    }

    @Test("a file cut anywhere is refused", arguments: [0.0, 0.1, 0.5, 0.9, 0.999])
    func truncated(share: Double) throws {
        let folder = try TemporaryFolder()
        let bytes = try compressed(Self.text + Self.trailer)
        let path = try folder.write("dump.gz", Array(bytes.prefix(Int(Double(bytes.count) * share))))
        #expect(code { try DumpFile(path: path).read(stop: StopFlag()) } == .damaged)
    }

    @Test("a file with one byte changed anywhere is refused")
    func altered() throws {
        let folder = try TemporaryFolder()
        let bytes = try compressed(Self.text + Self.trailer)
        let whole = try folder.write("whole.gz", bytes)
        let facts = try DumpFile(path: whole).read(stop: StopFlag())
        let manifest = Self.manifest(facts)
        try DumpFile(path: whole).check(against: manifest, stop: StopFlag())
        for index in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 50)) {
            var bytes = bytes
            bytes[index] ^= 0x20
            let path = try folder.write("altered-\(index).gz", bytes)
            #expect(
                code { try DumpFile(path: path).check(against: manifest, stop: StopFlag()) } == .damaged,
                "byte \(index)")
        }
    }

    @Test("a file with something behind its end is refused")
    func tail() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("dump.gz", compressed(Self.text + Self.trailer) + [1, 2, 3])
        #expect(code { try DumpFile(path: path).read(stop: StopFlag()) } == .damaged)
    }

    @Test(
        "a dump that pg_dump did not finish is refused, though it is whole gzip",
        arguments: ["", "SELECT 1;\n", "INSERT INTO t VALUES ('-- PostgreSQL database dump complete');\n"])
    func unfinished(text: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("dump.gz", compressed(text))
        #expect(code { try DumpFile(path: path).read(stop: StopFlag()) } == .damaged)
    }

    @Test("a run that is told to stop stops while it reads")
    func stopped() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("dump.gz", compressed(Self.text + Self.trailer))
        let flag = StopFlag()
        let error = code { try DumpFile(path: path).read(stop: flag) { _ in flag.raise() } }
        #expect(error == .cancelled)
    }

    @Test("publishing gives the dump its name, a manifest beside it and the link; leftovers go, nothing else does")
    func folder() throws {
        let temporary = try TemporaryFolder()
        let folder = BackupFolder(path: temporary.path)
        try folder.prepare()
        for (index, name) in [BackupName(second: 1_000_000), BackupName(second: 2_000_000)].enumerated() {
            _ = try temporary.write(name.partial, [UInt8(index)])
            let facts = DumpFile.Facts(sizeBytes: 1, uncompressedBytes: 1, sha256: "00")
            try folder.publish(name, Self.manifest(facts, file: name.file))
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("latest")) == name.file)
        }
        for leftover in [
            "aragora-19700101_000001.sql.gz.partial", "aragora-19700101_000002.json",
            "aragora-19700101_000003.json.partial",
        ] { _ = try temporary.write(leftover, []) }
        _ = try temporary.write("notes.txt", [])
        #expect(try folder.removeLeftovers().count == 3)
        #expect(try folder.entries().map(\.name.second) == [2_000_000, 1_000_000])
        #expect(FileManager.default.fileExists(atPath: folder.file("notes.txt")))
        // A dump whose manifest is gone is not a verified backup.
        try FileManager.default.removeItem(atPath: folder.file(BackupName(second: 2_000_000).manifest))
        #expect(try folder.entries().map(\.name.second) == [1_000_000])
    }

    @Test("a new file is readable by its owner only, and never replaces one")
    func permissions() throws {
        let temporary = try TemporaryFolder()
        do {
            let output = try OutputFile(path: temporary.path + "/new")
            try output.write([1, 2, 3])
            try output.sync()
        }
        let mode = try FileManager.default.attributesOfItem(atPath: temporary.path + "/new")[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(code { _ = try OutputFile(path: temporary.path + "/new") } == .files)
    }

    @Test("a manifest is read back as it was written, and refused when a field is missing")
    func manifestForm() throws {
        let manifest = Self.manifest(DumpFile.Facts(sizeBytes: 5, uncompressedBytes: 7, sha256: "ab"))
        #expect(try BackupManifest(manifest.encode()) == manifest)
        for member in manifest.json.members {
            var object = manifest.json
            object[member.key] = nil
            #expect(throws: ContractError.self, "\(member.key)") { try BackupManifest(CanonicalJSON.encode(object)) }
        }
    }

    private static func manifest(_ facts: DumpFile.Facts, file: String = "aragora-19700112_134640.sql.gz")
        -> BackupManifest
    {
        BackupManifest(
            file: file, startedAt: "2026-01-02T03:04:05.000Z", verifiedAt: "2026-01-02T03:04:06.000Z",
            sizeBytes: facts.sizeBytes, uncompressedBytes: facts.uncompressedBytes, sha256: facts.sha256,
            rowCounts: [.init(table: "debates", rows: 3)], generation: 1, schemaVersion: 7, serverVersion: 150_020,
            debates: 3, events: 40)
    }

    private func compressed(_ text: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        let writer = try GzipWriter { bytes += $0 }
        // In uneven pieces, as they come from a pipe.
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let piece = rest.prefix(7919)
            try writer.write(Array(piece))
            rest = rest.dropFirst(piece.count)
        }
        try writer.finish()
        return bytes
    }

    private func code(_ body: () throws -> Void) -> BackupError.Code? {
        do { try body() } catch { return (error as? BackupError)?.code }
        return nil
    }

    @discardableResult
    private func code<Value>(_ body: () throws -> Value) -> BackupError.Code? { code { _ = try body() } }
}

/// A folder that goes with its test.
final class TemporaryFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "aragora-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path(percentEncoded: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(filePath: file))
        return file
    }

    /// A program of the shell's.
    func script(_ name: String, _ text: String) throws {
        // Closed on exec: a child of another test that inherited it open for writing would make running it fail (ETXTBSY).
        let descriptor = open(path + "/" + name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o755)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let bytes = Array("#!/bin/sh\n\(text)\n".utf8)
        try #require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
    }
}
