import Contracts

/// A dump on disk as a stream of SQL text, and what makes it whole.
struct DumpFile: Sendable {
    /// pg_dump writes this line last, but for a few that set nothing.
    static let trailer = Array("-- PostgreSQL database dump complete".utf8)
    /// The trailer is looked for in this many of the last bytes.
    static let tailBytes = 4096

    let path: String

    /// What reading a whole dump tells.
    struct Facts: Sendable, Equatable {
        let sizeBytes: Int64
        let uncompressedBytes: Int64
        let sha256: String
    }

    /// Reads the file to its end, giving every piece of text to `consume`. Blocks.
    /// - Throws: ``BackupError`` `.damaged` for anything but a whole dump.
    @discardableResult
    func read(stop: StopFlag, _ consume: ([UInt8]) throws -> Void = { _ in }) throws -> Facts {
        let text = try DumpText(path: path, stop: stop)
        while let piece = try text.next() { try consume(piece) }
        return text.facts()
    }

    /// Reads the file and compares it with its manifest.
    /// - Throws: ``BackupError`` `.damaged`.
    func check(against manifest: BackupManifest, stop: StopFlag) throws {
        let facts = try read(stop: stop)
        guard facts.sha256 == manifest.sha256, facts.sizeBytes == manifest.sizeBytes else {
            throw BackupError(.damaged, "\(path) is not the file its manifest describes")
        }
    }

    static func isComplete(_ tail: [UInt8]) -> Bool {
        guard tail.count >= trailer.count else { return false }
        return (0...(tail.count - trailer.count)).contains { start in
            (start == 0 || tail[start - 1] == 0x0A) && tail[start..<(start + trailer.count)].elementsEqual(trailer)
        }
    }
}

/// The text of a dump, piece by piece; the end is given only when the dump was whole.
final class DumpText {
    private let reader: GzipReader
    private let stop: StopFlag
    private var uncompressedBytes: Int64 = 0
    private var tail: [UInt8] = []

    init(path: String, stop: StopFlag) throws {
        reader = try GzipReader(path: path)
        self.stop = stop
    }

    func next() throws -> [UInt8]? {
        try stop.check()
        if let piece = try reader.next() {
            uncompressedBytes += Int64(piece.count)
            tail = Array((tail + piece.suffix(DumpFile.tailBytes)).suffix(DumpFile.tailBytes))
            return piece
        }
        guard DumpFile.isComplete(tail) else {
            throw BackupError(.damaged, "the dump does not end as pg_dump ends one")
        }
        return nil
    }

    /// After the end. Call it once.
    func facts() -> DumpFile.Facts {
        DumpFile.Facts(
            sizeBytes: reader.compressedBytes, uncompressedBytes: uncompressedBytes, sha256: reader.hash.finish())
    }
}
