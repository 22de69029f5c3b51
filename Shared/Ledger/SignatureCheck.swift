import Contracts
package import Crypto

/// The keys that signatures are checked with: secret ones, public ones, or both.
package struct VerificationKeys: Sendable {
    let secret: KeyRing?
    let open: [Ed25519.PublicKey]

    /// - Parameter open: beside those of `secret`.
    package init(secret: KeyRing? = nil, open: [Ed25519.PublicKey] = []) {
        self.secret = secret
        self.open = (secret?.pairs.publicKeys ?? []) + open
    }

    /// - Parameter signature: base 64 with padding, in the one form that our encoder gives it.
    func checkSecret(_ signature: String, keyID: String, of message: [UInt8]) -> ReceiptVerification.Signature {
        guard let bytes = Self.decoded(signature) else { return .invalid }
        guard let secret else { return .noKey }
        guard let key = secret.verify(bytes, of: message) else {
            return secret.key(named: keyID) == nil ? .unknownKey(keyID) : .invalid
        }
        return key.id == keyID ? .valid(keyID: key.id, isCurrent: key.id == secret.current.id) : .invalid
    }

    func checkOpen(_ signature: String, keyID: String, of message: [UInt8]) -> ReceiptVerification.Signature {
        guard let bytes = Self.decoded(signature) else { return .invalid }
        guard !open.isEmpty else { return .noKey }
        guard let key = open.first(where: { $0.id == keyID }) else { return .unknownKey(keyID) }
        return key.isValid(bytes, of: message) ? .valid(keyID: keyID, isCurrent: key == open[0]) : .invalid
    }

    func check(_ head: TreeHead) -> ReceiptVerification.Signature {
        guard let signature = head.signature, let keyID = head.keyID else {
            return head.signature == nil && head.keyID == nil ? .unsigned : .invalid
        }
        return checkOpen(signature, keyID: keyID, of: head.coveredBytes)
    }

    private static func decoded(_ text: String) -> [UInt8]? {
        guard let bytes = Base64.decode(text), Base64.encode(bytes).utf8.elementsEqual(text.utf8) else { return nil }
        return bytes
    }
}
