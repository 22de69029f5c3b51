/// One typed field of a log line. Names are fixed here and nowhere else; values never hold secrets, bodies or prompts.
package struct LogField: Sendable {
    package enum Value: Sendable {
        case string(String)
        case int(Int64)
        case double(Double)
        case bool(Bool)
    }

    package let name: String
    package let value: Value

    package init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }

    /// Names that others look for.
    package static let (traceIDName, errorName, errorCodeName) = ("trace_id", "error", "error_code")

    package static func requestID(_ id: String) -> LogField { .init("request_id", .string(id)) }
    package static func traceID(_ id: String) -> LogField { .init(traceIDName, .string(id)) }
    package static func debateID(_ id: String) -> LogField { .init("debate_id", .string(id)) }
    package static func runnerID(_ id: String) -> LogField { .init("runner_id", .string(id)) }
    package static func epoch(_ epoch: Int64) -> LogField { .init("epoch", .int(epoch)) }
    package static func seq(_ seq: Int64) -> LogField { .init("seq", .int(seq)) }
    package static func callKey(_ key: String) -> LogField { .init("call_key", .string(key)) }
    package static func provider(_ name: String) -> LogField { .init("provider", .string(name)) }
    package static func attempt(_ number: Int) -> LogField { .init("attempt", .int(Int64(number))) }
    package static func method(_ method: String) -> LogField { .init("method", .string(method)) }
    package static func path(_ path: String) -> LogField { .init("path", .string(path)) }
    package static func route(_ template: String) -> LogField { .init("route", .string(template)) }
    package static func status(_ code: Int) -> LogField { .init("status", .int(Int64(code))) }
    package static func state(_ state: String) -> LogField { .init("state", .string(state)) }
    package static func peer(_ address: String) -> LogField { .init("peer", .string(address)) }
    package static func port(_ port: Int) -> LogField { .init("port", .int(Int64(port))) }
    package static func count(_ count: Int) -> LogField { .init("count", .int(Int64(count))) }
    package static func bytes(_ count: Int) -> LogField { .init("bytes", .int(Int64(count))) }
    package static func version(_ version: String) -> LogField { .init("version", .string(version)) }
    package static func reason(_ reason: String) -> LogField { .init("reason", .string(reason)) }
    package static func file(_ path: String) -> LogField { .init("file", .string(path)) }
    package static func duration(_ duration: Duration) -> LogField {
        .init("duration_ms", .double((duration.secondsValue * 1e6).rounded() / 1e3))
    }
    /// An error's own description; errors of this project never carry secrets.
    package static func error(_ error: any Error) -> LogField { .init(errorName, .string("\(error)")) }
    package static func errorCode(_ code: String) -> LogField { .init(errorCodeName, .string(code)) }
}
