/// The type OIDs this driver speaks (pg_type.dat; they never change between versions).
struct PGType: RawRepresentable, Sendable, Hashable {
    let rawValue: UInt32
    init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The server infers the type from where the parameter stands.
    static let unspecified = PGType(rawValue: 0)
    static let bool = PGType(rawValue: 16)
    static let bytea = PGType(rawValue: 17)
    static let char = PGType(rawValue: 18)
    static let name = PGType(rawValue: 19)
    static let int8 = PGType(rawValue: 20)
    static let int2 = PGType(rawValue: 21)
    static let int4 = PGType(rawValue: 23)
    static let text = PGType(rawValue: 25)
    static let oid = PGType(rawValue: 26)
    static let json = PGType(rawValue: 114)
    static let xml = PGType(rawValue: 142)
    static let float4 = PGType(rawValue: 700)
    static let float8 = PGType(rawValue: 701)
    static let unknown = PGType(rawValue: 705)
    static let boolArray = PGType(rawValue: 1000)
    static let byteaArray = PGType(rawValue: 1001)
    static let nameArray = PGType(rawValue: 1003)
    static let int2Array = PGType(rawValue: 1005)
    static let int4Array = PGType(rawValue: 1007)
    static let textArray = PGType(rawValue: 1009)
    static let varcharArray = PGType(rawValue: 1015)
    static let int8Array = PGType(rawValue: 1016)
    static let bpchar = PGType(rawValue: 1042)
    static let varchar = PGType(rawValue: 1043)
    static let timestamp = PGType(rawValue: 1114)
    static let timestamptz = PGType(rawValue: 1184)
    static let uuid = PGType(rawValue: 2950)
    static let jsonb = PGType(rawValue: 3802)

    /// Types made by users (enums, domains over text) start here; their binary form is checked as UTF-8.
    static let firstUserDefined: UInt32 = 16384

    /// The binary form is the text's bytes.
    var isTextual: Bool {
        switch self {
        case .text, .varchar, .bpchar, .name, .json, .xml, .unknown, .char: true
        default: rawValue >= Self.firstUserDefined
        }
    }

    /// The type of an array's elements; nil when this is not an array the driver reads.
    var element: PGType? {
        switch self {
        case .boolArray: .bool
        case .byteaArray: .bytea
        case .int2Array: .int2
        case .int4Array: .int4
        case .int8Array: .int8
        case .textArray: .text
        case .nameArray: .name
        case .varcharArray: .varchar
        default: nil
        }
    }
}
