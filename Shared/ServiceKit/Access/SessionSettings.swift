package import Crypto
package import Platform

/// Settings of users' sessions and of stored secrets, the same for every executable.
package struct SessionSettings: Sendable {
    static let encryptionKeyBytes = 32
    static let standardIdleDays = 14

    private let jwt: [Secret<String>]
    private let encryption: [Secret<String>]
    private let accessHours: Int
    private let refreshDays: Int
    private let idleDays: Int
    /// Whether cookies are for TLS only.
    package let hasSecureCookies: Bool
    /// Signs when nothing else is there to: sessions end with the process then.
    private let madeUp: [UInt8]

    /// Nothing set.
    package init() {
        self.init(
            jwt: [], encryption: [], accessHours: 24, refreshDays: 30, idleDays: Self.standardIdleDays,
            hasSecureCookies: true)
    }

    private init(
        jwt: [Secret<String>], encryption: [Secret<String>], accessHours: Int, refreshDays: Int, idleDays: Int,
        hasSecureCookies: Bool
    ) {
        self.hasSecureCookies = hasSecureCookies
        self.jwt = jwt
        self.encryption = encryption
        self.accessHours = accessHours
        self.refreshDays = refreshDays
        self.idleDays = idleDays
        madeUp = Self.processSecret
    }

    /// One for the life of the process: a reload of the settings ends no session.
    private static let processSecret = (0..<4).flatMap { _ in
        withUnsafeBytes(of: UInt64.random(in: .min ... .max)) { Array($0) }
    }

    /// Reads them all, and says what is wrong with them.
    package init(reading reader: inout SettingsReader) {
        let name = "ARAGORA_JWT_SECRET"
        let secret = reader.secret(
            name, aliases: ["JWT_SECRET"],
            help: "Signs the tokens of sessions: 32 characters or more. Without it they are signed with a secret made "
                + "from ARAGORA_API_TOKEN.")
        reader.requireStrength(of: secret, name, otherwise: .jwtSecretShort)
        let previous = reader.secret(
            name + "_PREVIOUS", help: "The secret before the last rotation: what it signed is still taken.")
        reader.requireStrength(of: previous, name + "_PREVIOUS", otherwise: .jwtSecretShort)
        var keys: [Secret<String>] = []
        for name in ["ARAGORA_ENCRYPTION_KEY", "ARAGORA_ENCRYPTION_KEY_PREVIOUS"] {
            let key = reader.secret(
                name,
                help: name.hasSuffix("PREVIOUS")
                    ? "The key before the last rotation: what was stored under it is still read."
                    : "64 hex digits. Secrets that we store are encrypted with it; API keys, reset tokens and backup codes are stored as codes under it."
            )
            Self.checkEncryptionKey(key, name, &reader)
            if let key { keys.append(key) }
        }
        let isSecure = reader.bool(
            "ARAGORA_COOKIE_SECURE", default: true,
            help: "Whether cookies are for TLS only. There is one: what binds a single sign-on to its browser.")
        if !isSecure {
            reader.refuse(SettingFault(.cookiesInsecure, "ARAGORA_COOKIE_SECURE", "is false"))
        }
        let accessHours = reader.int(
            "ARAGORA_JWT_EXPIRY_HOURS", default: 24, in: 1...168, help: "How long an access token is good.")
        let refreshDays = reader.int(
            "ARAGORA_REFRESH_TOKEN_EXPIRY_DAYS", default: 30, in: 1...90,
            help: "How long a session may be renewed, counted from its sign-in.")
        let idleName = "ARAGORA_SESSION_IDLE_DAYS"
        let idleDays = reader.int(
            idleName, default: Self.standardIdleDays, in: 0...90,
            help: "A session that was not renewed for so long ends; 0 for never before its end.")
        if idleDays > 0, idleDays * 24 <= accessHours {
            // Who renews when the access token ends would always be too late.
            reader.report("\(idleName): must be longer than ARAGORA_JWT_EXPIRY_HOURS, \(accessHours) hours, or 0")
        }
        self.init(
            jwt: [secret, previous].compactMap { $0 }, encryption: keys, accessHours: accessHours,
            refreshDays: refreshDays, idleDays: idleDays, hasSecureCookies: isSecure)
    }

    /// - Parameter roots: the service tokens, the present one first; used when there is no secret of its own.
    func tokens(derivedFrom roots: [[UInt8]]) -> SessionTokens {
        // As it was given: others that have the secret can check our tokens with any library.
        let given = jwt.map { Array($0.reveal().utf8) }
        return SessionTokens(
            secrets: given.isEmpty ? Self.keys([], else: roots, purpose: "session tokens", madeUp) : given,
            accessSeconds: Int64(accessHours) * 3600, refreshSeconds: Int64(refreshDays) * 86_400,
            idleSeconds: idleDays > 0 ? Int64(idleDays) * 86_400 : nil)
    }

    /// - Parameter roots: the service tokens, the present one first; used when there is no key of its own.
    func keyDigests(derivedFrom roots: [[UInt8]]) -> KeyDigests {
        KeyDigests(keys: Self.keys(encryption, else: roots, purpose: "stored digests", madeUp))
    }

    /// Seals the secrets that we store; nil when no encryption key is set: nothing that must be read again can be stored then.
    package var secretBox: SecretBox? {
        let keys = encryptionKeys
        guard let current = keys.first else { return nil }
        return try? SecretBox(current: current, previous: Array(keys.dropFirst()))
    }

    private var encryptionKeys: [[UInt8]] {
        encryption.map {
            HMACSHA256.code(for: Array("aragora stored secrets v1".utf8), key: Hex.decode($0.reveal()) ?? [])
        }
    }

    /// The same for what an installation without an encryption key stores all the same. What was sealed before there was one
    /// still opens.
    /// - Parameter roots: the service tokens, the present one first; they seal when there is no key of its own.
    func secretBox(derivedFrom roots: [[UInt8]]) -> SecretBox {
        if let box = durableBox(derivedFrom: roots) { return box }
        guard let box = try? SecretBox(current: Self.keys([], else: [], purpose: Self.sealing, madeUp)[0]) else {
            preconditionFailure("a code of 32 bytes is a key")
        }
        return box
    }

    /// The same; nil when nothing is set that outlives the process.
    package func durableBox(derivedFrom roots: [[UInt8]]) -> SecretBox? {
        var keys = encryptionKeys
        if !roots.isEmpty { keys += Self.keys([], else: roots, purpose: Self.sealing, madeUp) }
        guard let current = keys.first else { return nil }
        return try? SecretBox(current: current, previous: Array(keys.dropFirst()))
    }

    private static let sealing = "stored secrets"

    /// Of each secret a key for this purpose alone, so that one use says nothing about another; the roots' after them.
    private static func keys(
        _ secrets: [Secret<String>], else roots: [[UInt8]], purpose: String, _ madeUp: [UInt8]
    ) -> [[UInt8]] {
        var sources = secrets.map { Array($0.reveal().utf8) } + roots
        if sources.isEmpty { sources = [madeUp] }
        return sources.map { HMACSHA256.code(for: Array("aragora \(purpose) v1".utf8), key: $0) }
    }

    private static func checkEncryptionKey(_ key: Secret<String>?, _ name: String, _ reader: inout SettingsReader) {
        guard let key, !reader.refusePlaceholder(key, name) else { return }
        guard Hex.decode(key.reveal())?.count != encryptionKeyBytes else { return }
        reader.refuse(
            SettingFault(
                .encryptionKeyShort, name,
                "has \(key.reveal().count) characters; it must be \(2 * encryptionKeyBytes) hex digits"))
    }
}
