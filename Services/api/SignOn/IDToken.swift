import Contracts
import Crypto

/// Verifies ID tokens: the signature with a published key, then every claim.
enum IDToken {
    /// The longest one that is looked at.
    static let maximumBytes = 16 * 1024

    enum Refusal: Error, Equatable {
        case malformed
        /// Not one that both sides take: `none` and the HMACs never are.
        case algorithm
        /// No published key of this id fits; a fresh set may have it.
        case unknownKey
        case signature
        case claims(IDTokenClaims.Refusal)
    }

    /// A published key, opened.
    struct Key: Sendable {
        let id: String?
        let key: SignatureKey
        /// As ``PublishedKey/endorsements``.
        let endorsements: [String]

        /// - Returns: nil for a key that is too weak, or none.
        init?(_ published: PublishedKey) {
            let made: SignatureKey?
            switch published.material {
            case .rsa(let modulus, let exponent):
                guard let n = Base64.decode(modulus), let e = Base64.decode(exponent) else { return nil }
                made = try? SignatureKey(rsaModulus: n, exponent: e)
            case .p256(let x, let y):
                guard let x = Base64.decode(x), let y = Base64.decode(y) else { return nil }
                made = try? SignatureKey(p256X: x, y: y)
            }
            guard let made else { return nil }
            id = published.id
            key = made
            endorsements = published.endorsements
        }
    }

    /// - Parameter algorithms: what the provider says it signs with.
    static func verify(
        _ text: String, keys: [Key], algorithms: [String], _ expected: IDTokenClaims.Expected
    ) throws(Refusal) -> IDTokenClaims {
        let (claims, _) = try open(text, keys: keys, algorithms: algorithms)
        do throws(IDTokenClaims.Refusal) { return try IDTokenClaims(claims, expected) } catch { throw .claims(error) }
    }

    /// The signature alone.
    /// - Returns: the claims, none of them looked at, and the key that signed them.
    static func open(
        _ text: String, keys: [Key], algorithms: [String]
    ) throws(Refusal) -> (claims: JSONObject, key: Key) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= maximumBytes, parts.count == 3, let head = Base64.decode(parts[0]),
            let header = SignedTokenHeader(head), let signature = Base64.decode(parts[2]), !signature.isEmpty
        else { throw .malformed }
        guard let algorithm = SignatureKey.Algorithm(rawValue: header.algorithm),
            algorithms.contains(algorithm.rawValue)
        else { throw .algorithm }
        // Without an id there must be no choice.
        let fitting = keys.filter { $0.key.algorithm == algorithm && (header.keyID == nil || $0.id == header.keyID) }
        guard let key = fitting.first, fitting.count == 1 else { throw .unknownKey }
        guard key.key.isValid(signature, of: Array((parts[0] + "." + parts[1]).utf8)) else {
            // Where keys have no ids, a new one looks like a wrong signature.
            throw header.keyID == nil ? .unknownKey : .signature
        }
        guard let bytes = Base64.decode(parts[1]), let object = (try? JSONParser.parse(bytes))?.object else {
            throw .malformed
        }
        return (object, key)
    }

    /// Whether an access token is the one that the ID token came with; true when it does not say.
    static func covers(_ claims: IDTokenClaims, accessToken: String) -> Bool {
        guard let hash = claims.accessTokenHash else { return true }
        return Base64.decode(hash) == Array(SHA256.hash(accessToken).prefix(16))
    }
}
