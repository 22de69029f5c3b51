package import Domain

/// The state of the receipt log at one moment, signed: how many leaves it has and what its root is.
package struct TreeHead: Sendable, Equatable {
    /// Which log, in which life: `aragora/<log>/g<generation>`. A restore of a backup begins another life.
    package let origin: String
    package let size: Int64
    /// 32 bytes.
    package let root: [UInt8]
    package let at: Timestamp
    /// Nil when it is not signed.
    package private(set) var keyID: String?
    /// Base 64 with padding.
    package private(set) var signature: String?

    package init(origin: String, size: Int64, root: [UInt8], at: Timestamp) {
        self.origin = origin
        self.size = size
        self.root = root
        self.at = at
    }

    /// What an origin is made of.
    package static func origin(log: String, generation: Int64) -> String { "aragora/\(log)/g\(generation)" }

    /// The bytes that the signature covers.
    package var coveredBytes: [UInt8] { CanonicalJSON.encode(JSONObject(covered)) }

    private var covered: [(String, JSONValue)] {
        [
            ("origin", .string(origin)),
            ("root_hash", .string(String(decoding: HexText.encode(root), as: UTF8.self))),
            ("timestamp", .string(at.iso8601)), ("tree_size", .int(size)), ("type", "aragora-tree-head"), ("v", 1),
        ]
    }

    package mutating func sign(_ signature: String, keyID: String) {
        self.signature = signature
        self.keyID = keyID
    }

    package var json: JSONValue {
        .object(
            JSONObject(covered + [("key_id", .optional(keyID)), ("signature", .optional(signature))]))
    }

    package var bytes: [UInt8] { CanonicalJSON.encode(json) }

    /// Reads a head, if it has exactly the form that ``json`` has.
    /// - Throws: ``ContractError``.
    package init(_ value: JSONValue) throws(ContractError) {
        guard let origin = value["origin"]?.string, let size = value["tree_size"]?.int, size >= 0,
            let root = value["root_hash"]?.string.flatMap({ HexText.decode($0, length: 32) }),
            let at = value["timestamp"]?.string.flatMap({ Timestamp(iso8601: $0) })
        else { throw ContractError(.malformed, "this is no head of a receipt log") }
        self.init(origin: origin, size: size, root: root, at: at)
        keyID = value["key_id"]?.string
        signature = value["signature"]?.string
        guard value == json else { throw ContractError(.malformed, "the head has members that no head has") }
    }

    /// Reads a head from a file.
    /// - Throws: ``ContractError``.
    package static func parse(_ bytes: [UInt8]) throws(ContractError) -> TreeHead {
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(bytes) } catch {
            throw ContractError(.malformed, "head: \(error)")
        }
        return try TreeHead(value["head"] ?? value)
    }
}
