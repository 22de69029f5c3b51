/// One reply of Redis, RESP2.
package enum RedisReply: Sendable, Equatable {
    case string([UInt8])
    case integer(Int64)
    case array([RedisReply])
    case null
    /// A short answer such as "OK".
    case status(String)
    /// An error inside an array; as a whole reply it is thrown instead.
    case error(String)

    /// The bytes of a string or status; nil for anything else.
    package var bytes: [UInt8]? {
        switch self {
        case .string(let bytes): bytes
        case .status(let text): Array(text.utf8)
        default: nil
        }
    }

    /// The text of a string or status; nil for anything else and for bytes that are not UTF-8.
    package var text: String? {
        switch self {
        case .string(let bytes): String(validating: bytes, as: UTF8.self)
        case .status(let text): text
        default: nil
        }
    }

    package var integer: Int64? {
        guard case .integer(let value) = self else { return nil }
        return value
    }

    package var array: [RedisReply]? {
        guard case .array(let items) = self else { return nil }
        return items
    }

    package var isNull: Bool { self == .null }
}
