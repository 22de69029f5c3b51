/// `GET /receipts/signing-key`: the public keys under which receipts and heads verify, the one in force first.
package enum SigningKeysBody {
    package struct Key: Sendable, Equatable {
        package let id: String
        /// Base 64 of 32 bytes.
        package let base64: String
        package let pem: String

        package init(id: String, base64: String, pem: String) {
            self.id = id
            self.base64 = base64
            self.pem = pem
        }
    }

    /// - Parameters:
    ///   - keys: the current one first; empty when receipts are not signed.
    ///   - secretKeyID: the name of the key of the HMAC, which is never published.
    package static func json(_ keys: [Key], secretKeyID: String?) -> JSONValue {
        [
            "algorithm": .string(ReceiptDocument.publicAlgorithm), "key_id": .optional(keys.first?.id),
            "public_key": .optional(keys.first?.base64), "public_key_pem": .optional(keys.first?.pem),
            "hmac_key_id": .optional(secretKeyID),
            "keys": .array(
                keys.enumerated().map { index, key in
                    [
                        "key_id": .string(key.id), "algorithm": .string(ReceiptDocument.publicAlgorithm),
                        "public_key": .string(key.base64), "public_key_pem": .string(key.pem),
                        "current": .bool(index == 0),
                    ]
                }),
        ]
    }

    /// The keys of such an answer, base 64; nil when the bytes are none.
    package static func keys(in bytes: [UInt8]) -> [String]? {
        guard let list = (try? JSONParser.parse(bytes))?["keys"]?.array else { return nil }
        return list.compactMap { $0["public_key"]?.string }
    }
}
