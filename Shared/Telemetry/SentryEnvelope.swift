import Contracts
import Platform

/// An error as a Sentry envelope: one line of JSON about the envelope, one about the item, and the item.
enum SentryEnvelope {
    static let maxFieldCharacters = 500
    static let maxFields = 32

    /// Who reports.
    struct Origin: Sendable {
        let service: String
        let version: String
        let environment: String
        let server: String
    }

    /// - Parameters:
    ///   - id: 32 hex digits, of this report alone.
    ///   - suppressed: reports of the same error that were left out since the last one.
    static func encode(_ report: ReportedError, from origin: Origin, id: String, suppressed: Int, sentAt: Int64)
        -> [UInt8]
    {
        let event = CanonicalJSON.encode(event(report, origin, id, suppressed))
        let head: JSONValue = ["event_id": .string(id), "sent_at": .string(ISO8601.string(milliseconds: sentAt))]
        let item: JSONValue = [
            "content_type": "application/json", "length": .int(Int64(event.count)), "type": "event",
        ]
        return CanonicalJSON.encode(head) + [0x0A] + CanonicalJSON.encode(item) + [0x0A] + event + [0x0A]
    }

    private static func event(_ report: ReportedError, _ origin: Origin, _ id: String, _ suppressed: Int) -> JSONValue {
        var tags = JSONObject([("service", .string(origin.service))])
        var extra = JSONObject()
        for field in report.fields.prefix(maxFields) where !["service", LogField.errorName].contains(field.name) {
            // Tags are searched by: what comes from a closed set.
            if tagNames.contains(field.name) {
                tags[field.name] = json(field.value)
            } else {
                extra[field.name] = json(field.value)
            }
        }
        if suppressed > 0 { extra["suppressed"] = .int(Int64(suppressed)) }
        let code = report.text(LogField.errorCodeName) ?? ""
        var event = JSONObject([
            ("event_id", .string(id)), ("timestamp", .string(ISO8601.string(milliseconds: report.time))),
            ("platform", "native"), ("level", "error"), ("logger", .string("aragora.\(origin.service)")),
            ("release", .string("aragora@\(origin.version)")), ("environment", .string(origin.environment)),
            ("server_name", .string(origin.server)), ("logentry", ["formatted": .string(report.message)]),
            ("fingerprint", .array([.string(origin.service), .string(report.message), .string(code)])),
            ("tags", .object(tags)), ("extra", .object(extra)),
        ])
        if let error = report.text(LogField.errorName) {
            event["exception"] = [
                "values": .array([["type": .string(report.message), "value": .string(Scrubber.clean(error))]])
            ]
        }
        if let trace = report.text(LogField.traceIDName), trace.utf8.count == 32 {
            event["contexts"] = ["trace": ["span_id": .string(String(trace.suffix(16))), "trace_id": .string(trace)]]
        }
        return .object(event)
    }

    private static let tagNames = ["error_code", "route", "provider", "state", "attempt", "status"]

    private static func json(_ value: LogField.Value) -> JSONValue {
        switch value {
        case .string(let text): .string(String(Scrubber.clean(text).prefix(maxFieldCharacters)))
        case .int(let number): .int(number)
        case .double(let number): number.isFinite ? .double(number) : .null
        case .bool(let flag): .bool(flag)
        }
    }
}

extension ReportedError {
    /// The text of a field.
    fileprivate func text(_ name: String) -> String? {
        for field in fields where field.name == name { if case .string(let text) = field.value { return text } }
        return nil
    }
}
