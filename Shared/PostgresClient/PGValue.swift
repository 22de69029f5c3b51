import Glibc

/// A bound parameter. Its type is declared to the server: text, bytea, int8, bool, float8, or an array of those.
///
/// Where a column has another type the statement says the cast: `\(text)::jsonb`, `\(iso)::timestamptz`, `\(n)::int`.
package enum PGValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case text(String)
    case bytes([UInt8])
    case textArray([String?])
    case intArray([Int64?])
    case bytesArray([[UInt8]?])
    case boolArray([Bool?])

    var type: PGType {
        switch self {
        case .null: .unspecified
        case .bool: .bool
        case .int: .int8
        case .double: .float8
        case .text: .text
        case .bytes: .bytea
        case .textArray: .textArray
        case .intArray: .int8Array
        case .bytesArray: .byteaArray
        case .boolArray: .boolArray
        }
    }

    /// A text that Postgres can not hold; it has no form for U+0000.
    var holdsNUL: Bool {
        switch self {
        case .text(let text): text.holdsNUL
        case .textArray(let texts): texts.contains { $0?.holdsNUL ?? false }
        default: false
        }
    }

    /// Roughly what this takes on the wire.
    var sizeBytes: Int {
        switch self {
        case .null, .bool, .int, .double: 8
        case .text(let text): text.utf8.count
        case .bytes(let bytes): bytes.count
        case .textArray(let texts): texts.reduce(0) { $0 + 4 + ($1?.utf8.count ?? 0) }
        case .bytesArray(let items): items.reduce(0) { $0 + 4 + ($1?.count ?? 0) }
        case .intArray(let items): items.count * 12
        case .boolArray(let items): items.count * 5
        }
    }
}

/// A type of the product that is stored as one of the driver's types, for example an id stored as text.
package protocol PGEncodable {
    /// The stored form; never `.null`.
    var pgValue: PGValue { get }
    /// The stored form's type when there is no value.
    static var pgNull: PGNull { get }
}

/// Which type a null parameter is declared as, so that a statement with it shares its plan with one without.
package enum PGNull: Sendable {
    case bool, int, double, text, bytes, textArray, intArray, bytesArray, boolArray

    var type: PGType {
        switch self {
        case .bool: .bool
        case .int: .int8
        case .double: .float8
        case .text: .text
        case .bytes: .bytea
        case .textArray: .textArray
        case .intArray: .int8Array
        case .bytesArray: .byteaArray
        case .boolArray: .boolArray
        }
    }
}

extension String {
    /// Asked of every text of every statement, hence by the C library's search.
    var holdsNUL: Bool {
        let found = unsafe utf8.withContiguousStorageIfAvailable { bytes in
            guard let base = bytes.baseAddress else { return false }
            return unsafe memchr(base, 0, bytes.count) != nil
        }
        return found ?? utf8.contains(0)
    }
}
