import Domain
import Ledger
import PostgresClient
import Storage

/// A debate that a command is to look at: by its id in Postgres, or in a file.
enum RecordedDebate: Sendable {
    case stored(DebateID)
    /// `-` for standard input.
    case file(String)

    /// The largest file that is read, in bytes.
    static let maximumBytes = 256 << 20

    init(_ word: String) throws(Arguments.UsageError) {
        if let id = DebateID(word) {
            self = .stored(id)
        } else if word.hasPrefix("dbt_") && !word.contains(where: { $0 == "." || $0 == "/" }) {
            throw Arguments.UsageError("\"\(word)\" is not the id of a debate (dbt_ and 26 characters)")
        } else {
            self = .file(word)
        }
    }

    /// - Throws: ``CommandFailure``.
    static func read(_ path: String, _ context: CommandContext) async throws -> DebateRecording {
        let bytes = try await InputText.read(path, limit: maximumBytes, on: context.blocking)
        do throws(DebateRecording.FileFault) { return try DebateRecording(file: bytes) } catch {
            throw CommandFailure(.failed, "\(path) is no recording: \(error)")
        }
    }

    static func read(_ id: DebateID, _ pool: PGPool) async throws -> DebateRecording {
        guard let recording = try await RecordingReader(pool: pool).recording(of: id) else {
            if try await EventRetentionStore(pool: pool).isRemoved(id) {
                throw CommandFailure(.failed, "the events of \(id.text) were removed: their retention has passed")
            }
            throw CommandFailure(.failed, "there is no debate \(id.text)")
        }
        return recording
    }
}
