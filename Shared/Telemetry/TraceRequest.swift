import Platform

/// `ExportTraceServiceRequest` of OTLP 1.x: the spans of one process (opentelemetry/proto/trace/v1/trace.proto).
enum TraceRequest {
    /// Bytes of one text; the rest is cut.
    static let maxTextBytes = 1024

    /// - Parameters:
    ///   - resource: who sends, `service.name` among it.
    ///   - version: of this program.
    static func encode(_ spans: [Span], resource: [(key: String, value: String)], version: String) -> [UInt8] {
        var request = ProtobufWriter()
        request.message(1) { resourceSpans in
            resourceSpans.message(1) { message in
                for (key, value) in resource { attribute(.init(key, value), in: &message, field: 1) }
            }
            resourceSpans.message(2) { scopeSpans in
                scopeSpans.message(1) { scope in
                    scope.text(1, "aragora")
                    scope.text(2, version)
                }
                for span in spans { scopeSpans.message(2) { write(span, to: &$0) } }
            }
        }
        return request.bytes
    }

    private static func write(_ span: Span, to message: inout ProtobufWriter) {
        message.bytes(1, bytes(of: span.context.trace))
        message.bytes(2, bytes(of: span.context.span))
        if span.parent != 0 { message.bytes(4, bytes(of: span.parent)) }
        message.text(5, cut(span.name))
        message.varint(6, span.kind.rawValue)
        message.fixed64(7, UInt64(max(0, span.start)))
        message.fixed64(8, UInt64(max(0, span.end)))
        for attribute in span.attributes { self.attribute(attribute, in: &message, field: 9) }
        if let failure = span.failure { attribute(.init("error.type", failure), in: &message, field: 9) }
        for link in span.links {
            message.message(13) { item in
                item.bytes(1, bytes(of: link.trace))
                item.bytes(2, bytes(of: link.span))
                item.fixed32(6, link.isSampled ? 1 : 0)
            }
        }
        // 2 is ERROR; without one the status is unset, as it should be.
        if span.failure != nil { message.message(15) { $0.varint(3, 2) } }
        message.fixed32(16, span.context.isSampled ? 1 : 0)
    }

    private static func attribute(_ attribute: Span.Attribute, in message: inout ProtobufWriter, field: UInt64) {
        message.message(field) { pair in
            pair.text(1, attribute.key)
            pair.message(2) { value in
                switch attribute.value {
                case .text(let text): value.text(1, cut(text))
                case .flag(let flag): value.present(2, flag ? 1 : 0)
                case .number(let number): value.present(3, UInt64(bitPattern: number))
                }
            }
        }
    }

    /// Cut at a character, so that it stays UTF-8.
    private static func cut(_ text: String) -> String {
        guard text.utf8.count > maxTextBytes else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: maxTextBytes)
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }

    private static func bytes(of trace: TraceID) -> [UInt8] { bytes(of: trace.high) + bytes(of: trace.low) }

    private static func bytes(of value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(56 - 8 * $0)) }
    }
}
