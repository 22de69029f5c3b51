import BackupCore
import HTTPClient
import PostgresClient
import Sockets
import Storage

/// How the process ends (sysexits.h). Commands return one; only `Program` exits.
enum ExitCode: Int32, Sendable {
    case ok = 0
    /// Something was checked, and it is not so.
    case failed = 1
    /// The command line can not be understood.
    case usage = 64
    /// Something can not be checked: what it would take was not recorded, or was erased.
    case incomplete = 66
    /// A store or the API can not be reached, or another run is in the way.
    case unavailable = 69
    /// An error that nobody expected.
    case software = 70
    /// A setting is missing or wrong.
    case configuration = 78
    /// Told to stop, as a shell says it of SIGINT.
    case interrupted = 130
}

/// An expected end of a command that is not its result: a sentence for the operator and the exit code.
struct CommandFailure: Error, CustomStringConvertible {
    let code: ExitCode
    let description: String

    init(_ code: ExitCode, _ description: String) {
        self.code = code
        self.description = description
    }
}

/// What an error of a lower module means to an operator: a sentence and an exit code.
enum Failures {
    static func sentence(of error: any Error) -> String { (error as? BackupError)?.message ?? "\(error)" }

    static func code(of error: any Error) -> ExitCode {
        switch error {
        case let error as PGError: error.code == .invalid ? .configuration : .unavailable
        case let error as MigrationError: error.code == .lockTimeout ? .unavailable : .failed
        case let error as StorageError: error.code == .unavailable ? .unavailable : .failed
        case is SocketError, is HTTPClientError, is TimedOut: .unavailable
        case let error as BackupError: code(of: error)
        default: .software
        }
    }

    private static func code(of error: BackupError) -> ExitCode {
        switch error.code {
        case .busy, .unavailable: .unavailable
        case .unsuitable: .configuration
        case .toolFailed, .damaged, .unequal, .targetInUse, .files: .failed
        case .cancelled: .interrupted
        }
    }
}
