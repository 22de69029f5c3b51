import Glibc

/// Levels of log lines, least severe first.
package enum LogLevel: Int, Sendable, Comparable, CaseIterable {
    case debug, info, warning, error

    package init?(name: String) {
        switch name.lowercased() {
        case "debug": self = .debug
        case "info": self = .info
        case "warning", "warn": self = .warning
        case "error", "critical": self = .error
        default: return nil
        }
    }

    package var name: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        }
    }

    package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}

/// Writes log lines: a fixed lowercase message and typed fields, as JSON or text, one `write` each, to standard error.
package struct Log: Sendable {
    package enum Format: String, Sendable { case json, text }

    private let level: LogLevel
    private let format: Format
    private let context: [LogField]
    private let sink: @Sendable ([UInt8]) -> Void
    private let errors: ErrorInbox?

    /// - Parameters:
    ///   - errors: also gets every error line.
    ///   - sink: receives each line with its newline; the default writes to descriptor 2.
    package init(
        service: String, level: LogLevel = .info, format: Format = .json, errors: ErrorInbox? = nil,
        sink: @escaping @Sendable ([UInt8]) -> Void = Log.writeToStandardError
    ) {
        self.init(
            level: level, format: format, context: [LogField("service", .string(service))], errors: errors, sink: sink)
    }

    private init(
        level: LogLevel, format: Format, context: [LogField], errors: ErrorInbox?,
        sink: @escaping @Sendable ([UInt8]) -> Void
    ) {
        self.errors = errors
        self.level = level
        self.format = format
        self.context = context
        self.sink = sink
    }

    /// A log that writes nothing.
    package static let disabled = Log(service: "", level: .error, format: .text, sink: { _ in })

    /// The same log with more fields on every line.
    package func with(_ fields: LogField...) -> Log {
        Log(level: level, format: format, context: context + fields, errors: errors, sink: sink)
    }

    /// Whether lines of a level are written: where many are made, ask before gathering fields that are not free.
    package func writes(_ level: LogLevel) -> Bool { level >= self.level }

    package func debug(_ message: StaticString, _ fields: LogField...) { write(.debug, message, fields) }
    package func info(_ message: StaticString, _ fields: LogField...) { write(.info, message, fields) }
    package func warning(_ message: StaticString, _ fields: LogField...) { write(.warning, message, fields) }
    package func error(_ message: StaticString, _ fields: LogField...) { write(.error, message, fields) }
    package func info(_ message: StaticString, fields: [LogField]) { write(.info, message, fields) }

    private func write(_ level: LogLevel, _ message: StaticString, _ fields: [LogField]) {
        guard writes(level) else { return }
        let line = LogLine(
            time: WallClock.nowMilliseconds(), level: level, message: "\(message)", fields: context + fields)
        if level == .error, let errors {
            errors.add(ReportedError(time: line.time, message: line.message, fields: line.fields))
        }
        sink(format == .json ? line.json() : line.text())
    }

    package static func writeToStandardError(_ line: [UInt8]) {
        // One write per line keeps lines of several threads apart; a log that can not be written has nowhere to say so.
        _ = line.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
    }
}
