// Links libm, which rounding a Double needs.
import Glibc

/// A JSON value, its objects in the order they were written.
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    /// A whole number; what we write and accept stays within ±(2^53 − 1).
    case int(Int64)
    /// A number with a fraction, rounded at its source; see ``fraction(_:)``.
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
    /// Bytes that are one JSON value already, written as they are. The parser never makes one.
    case encoded([UInt8])

    /// The largest whole number every JSON reader agrees on, 2^53 − 1 (RFC 8259 §6).
    package static let maximumInteger: Int64 = 9_007_199_254_740_991

    /// A fraction as the log stores it: rounded to 4 decimals, so that all who compute it write the same bytes.
    /// Not a number and infinities become null.
    package static func fraction(_ value: Double) -> JSONValue {
        guard value.isFinite else { return .null }
        let scaled = value * 10_000
        guard abs(scaled) < Double(maximumInteger) else { return .double(value) }
        return .double(scaled.rounded() / 10_000)
    }

    /// The string, or null when there is none.
    package static func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

    /// The whole number, or null when there is none.
    package static func optional(_ number: Int?) -> JSONValue { number.map { .int(Int64($0)) } ?? .null }

    /// The rounded fraction, or null when there is none.
    package static func optional(_ number: Double?) -> JSONValue { number.map { .fraction($0) } ?? .null }

    /// An array of strings.
    package static func strings(_ texts: some Sequence<String>) -> JSONValue { .array(texts.map { .string($0) }) }

    package var isNull: Bool { if case .null = self { true } else { false } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    package var object: JSONObject? { if case .object(let value) = self { value } else { nil } }

    /// The whole number, also of `3.0`; nil for a fraction or another type.
    package var int: Int64? {
        switch self {
        case .int(let value): value
        case .double(let value): Int64(exactly: value)
        default: nil
        }
    }

    /// Any number.
    package var double: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    /// The member of this name when the value is an object that has it.
    package subscript(key: String) -> JSONValue? { object?[key] }

    /// What the type is called in an error a user reads.
    package var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .int, .double: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object, .encoded: "an object"
        }
    }
}

extension JSONValue: Equatable {
    /// Numbers by value, texts by their code units (not by canonical equivalence), objects whatever the order.
    package static func == (one: JSONValue, other: JSONValue) -> Bool {
        switch (one, other) {
        case (.null, .null): true
        case (.bool(let one), .bool(let other)): one == other
        case (.int(let one), .int(let other)): one == other
        case (.int, .double), (.double, .int), (.double, .double): one.double == other.double
        case (.string(let one), .string(let other)): one.utf8.elementsEqual(other.utf8)
        case (.array(let one), .array(let other)): one == other
        case (.object(let one), .object(let other)): one == other
        case (.encoded(let one), .encoded(let other)): one == other
        default: false
        }
    }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(nilLiteral: ()) { self = .null }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(floatLiteral value: Double) { self = .fraction(value) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(JSONObject(elements)) }
}
