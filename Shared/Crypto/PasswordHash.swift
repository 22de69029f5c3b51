import CLibCrypto

/// The scrypt hash of a password (RFC 7914), as one text: `$scrypt$ln=15,r=8,p=3$<salt>$<hash>`.
///
/// Making and checking one takes tens of milliseconds and tens of megabytes, on purpose: never on an event loop.
package struct PasswordHash: Sendable, Equatable {
    /// What a hash costs whoever makes it.
    package struct Cost: Sendable, Equatable {
        /// The logarithm of N; memory is 128 · r · N bytes.
        package let logN: Int
        package let r: Int
        package let p: Int

        /// 32 MiB, three times over: what OWASP recommends as the equal of N = 2^17.
        package static let standard = Cost(logN: 15, r: 8, p: 3)

        package init(logN: Int, r: Int, p: Int) {
            self.logN = logN
            self.r = r
            self.p = p
        }

        /// A stored text may ask for no more: it came from a database that somebody may have written to.
        var isBearable: Bool { (1...20).contains(logN) && (1...32).contains(r) && (1...16).contains(p) }
    }

    package static let saltBytes = 16
    package static let hashBytes = 32

    package let cost: Cost
    private let salt: [UInt8]
    private let hash: [UInt8]

    /// Hashes a password with a new salt.
    /// - Throws: ``CryptoError`` `.libraryFailure` without memory or randomness.
    package init(of password: String, cost: Cost = .standard) throws(CryptoError) {
        self.cost = cost
        salt = try RandomBytes.make(Self.saltBytes)
        hash = try Self.derive(password, salt: salt, cost: cost)
    }

    /// - Returns: nil unless the text is one of ours.
    package init?(_ text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt" else { return nil }
        let numbers = parts[2].split(separator: ",").map { $0.split(separator: "=", maxSplits: 1) }
        guard numbers.count == 3, zip(numbers, ["ln", "r", "p"]).allSatisfy({ $0.count == 2 && $0[0] == $1 }),
            let logN = Int(numbers[0][1]), let r = Int(numbers[1][1]), let p = Int(numbers[2][1])
        else { return nil }
        let cost = Cost(logN: logN, r: r, p: p)
        guard cost.isBearable, let salt = Base64.decode(parts[3]), let hash = Base64.decode(parts[4]),
            salt.count == Self.saltBytes, hash.count == Self.hashBytes
        else { return nil }
        (self.cost, self.salt, self.hash) = (cost, salt, hash)
    }

    package var text: String {
        "$scrypt$ln=\(cost.logN),r=\(cost.r),p=\(cost.p)$\(Base64.encodeURLSafe(salt))$\(Base64.encodeURLSafe(hash))"
    }

    /// Whether this is the hash of `password`. Costs as much as making one, whatever the answer.
    /// - Throws: ``CryptoError`` `.libraryFailure` without memory.
    package func matches(_ password: String) throws(CryptoError) -> Bool {
        constantTimeEquals(try Self.derive(password, salt: salt, cost: cost), hash)
    }

    private static func derive(_ password: String, salt: [UInt8], cost: Cost) throws(CryptoError) -> [UInt8] {
        let bytes = Array(password.utf8)
        var key = [UInt8](repeating: 0, count: hashBytes)
        let memory = UInt64(128 * cost.r) << UInt64(cost.logN) + UInt64(1 << 20)
        let made = unsafe bytes.withUnsafeBufferPointer { text in
            unsafe text.withMemoryRebound(to: CChar.self) { text in
                unsafe EVP_PBE_scrypt(
                    text.baseAddress, text.count, salt, salt.count, 1 << UInt64(cost.logN), UInt64(cost.r),
                    UInt64(cost.p), memory, &key, key.count)
            }
        }
        guard made == 1 else { throw CryptoError(.libraryFailure, "no scrypt hash from the library") }
        return key
    }
}
