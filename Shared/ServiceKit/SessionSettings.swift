import Crypto
package import Platform

/// Settings of users' sessions and of stored secrets. Nothing uses them yet; an installation that has them set must have
/// them right, since a later version will.
package enum SessionSettings {
    static let encryptionKeyBytes = 32

    /// Reads them all, and says what is wrong with them.
    package static func check(reading reader: inout SettingsReader) {
        let name = "ARAGORA_JWT_SECRET"
        let secret = reader.secret(
            name, aliases: ["JWT_SECRET"], help: "Signs sessions: 32 characters or more. There are no sessions yet.")
        reader.requireStrength(of: secret, name, otherwise: .jwtSecretShort)
        let previous = reader.secret(
            name + "_PREVIOUS", help: "The secret before the last rotation. There are no sessions yet.")
        reader.requireStrength(of: previous, name + "_PREVIOUS", otherwise: .jwtSecretShort)
        for name in ["ARAGORA_ENCRYPTION_KEY", "ARAGORA_ENCRYPTION_KEY_PREVIOUS"] {
            let key = reader.secret(name, help: "64 hex digits. Nothing is encrypted with it yet.")
            checkEncryptionKey(key, name, &reader)
        }
        let isSecure = reader.bool(
            "ARAGORA_COOKIE_SECURE", default: true, help: "Whether cookies are for TLS only. There are no cookies yet.")
        if !isSecure {
            reader.refuse(SettingFault(.cookiesInsecure, "ARAGORA_COOKIE_SECURE", "is false"))
        }
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
