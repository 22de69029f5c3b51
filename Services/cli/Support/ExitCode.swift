/// How the process ends (sysexits.h). Commands return one; only `Main` exits.
enum ExitCode: Int32, Sendable {
    case ok = 0
    /// Something was checked, and it is not so.
    case failed = 1
    /// The command line can not be understood.
    case usage = 64
    /// A store or the API can not be reached, or another run is in the way.
    case unavailable = 69
    /// An error that nobody expected.
    case software = 70
    /// A setting is missing or wrong.
    case configuration = 78
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
