package import Contracts
import Crypto

/// A JSON Web Token in the one form we make and read: HS256, compact, its header exactly ours (RFC 7515, RFC 8725).
///
/// What the header says never chooses anything: another algorithm, a key id, a key or a link to one is a refusal.
package enum JSONWebToken {
    /// The longest token that is looked at.
    package static let maximumBytes = 4096
    static let header = Base64.encodeURLSafe(Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8))

    /// Whether the text may be a token: three parts of the URL-safe alphabet.
    package static func hasForm(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 3 && !parts[0].isEmpty && !parts[1].isEmpty && parts.allSatisfy { $0.allSatisfy(isDigit) }
    }

    /// - Parameter secret: 32 bytes or more.
    package static func sign(_ claims: JSONObject, secret: [UInt8]) -> String {
        let signed = header + "." + Base64.encodeURLSafe(CanonicalJSON.encode(claims))
        return signed + "." + Base64.encodeURLSafe(HMACSHA256.code(for: Array(signed.utf8), key: secret))
    }

    /// The claims of a token that one of `secrets` signed; nil for every other text. Nothing is read before the
    /// signature is right, but the header, which must be ours.
    package static func verify(_ text: String, secrets: [[UInt8]]) -> JSONObject? {
        guard text.utf8.count <= maximumBytes, hasForm(text) else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard isOurHeader(parts[0]), let code = Base64.decode(parts[2]), code.count == HMACSHA256.length else {
            return nil
        }
        let signed = Array((parts[0] + "." + parts[1]).utf8)
        let isSigned = secrets.reduce(false) { HMACSHA256.isValid(code, for: signed, key: $1) || $0 }
        guard isSigned, let bytes = Base64.decode(parts[1]) else { return nil }
        return (try? JSONParser.parse(bytes))?.object
    }

    /// The same members in another order or spacing are the same header; one more is not.
    private static func isOurHeader(_ part: Substring) -> Bool {
        guard part != header else { return true }
        guard let bytes = Base64.decode(part), let object = (try? JSONParser.parse(bytes))?.object else { return false }
        guard object["alg"]?.string == "HS256" else { return false }
        guard let type = object["typ"] else { return object.members.count == 1 }
        return type.string == "JWT" && object.members.count == 2
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D
            || byte == 0x5F
    }
}
