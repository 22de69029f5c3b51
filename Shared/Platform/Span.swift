/// Something that took time, as part of a trace. Attribute values never hold prompts, answers, bodies or secrets.
package struct Span: Sendable {
    /// As OpenTelemetry numbers them.
    package enum Kind: UInt64, Sendable { case `internal` = 1, server, client, producer, consumer }

    package struct Attribute: Sendable, Hashable {
        package enum Value: Sendable, Hashable {
            case text(String)
            case number(Int64)
            case flag(Bool)
        }

        package let key: String
        package let value: Value
        package init(_ key: String, _ text: String) { (self.key, value) = (key, .text(text)) }
        package init(_ key: String, _ number: Int) { (self.key, value) = (key, .number(Int64(number))) }
        package init(_ key: String, _ number: Int64) { (self.key, value) = (key, .number(number)) }
        package init(_ key: String, _ flag: Bool) { (self.key, value) = (key, .flag(flag)) }
    }

    /// Of one span; more are left out.
    package static let maxAttributes = 32

    package let name: String
    package let kind: Kind
    /// Itself.
    package let context: TraceContext
    /// 0 when it begins the trace.
    package let parent: UInt64
    /// Nanoseconds since 1970.
    package let start: Int64
    /// Nanoseconds since 1970; `start` until it has ended.
    package private(set) var end: Int64
    package private(set) var attributes: [Attribute]
    /// Spans that it has to do with, and that are not its parent.
    package var links: [TraceContext] = []
    /// What went wrong, in a word of a closed set; nil when nothing did.
    package private(set) var failure: String?

    package init(
        _ name: String, _ kind: Kind, context: TraceContext, parent: UInt64, start: Int64, attributes: [Attribute] = []
    ) {
        self.name = name
        self.kind = kind
        self.context = context
        self.parent = parent
        self.start = start
        end = start
        self.attributes = Array(attributes.prefix(Self.maxAttributes))
    }

    package mutating func add(_ more: Attribute...) {
        attributes.append(contentsOf: more.prefix(Self.maxAttributes - attributes.count))
    }

    mutating func close(at time: Int64, failure: String?) {
        end = max(start, time)
        self.failure = failure
    }
}
