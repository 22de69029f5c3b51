import Contracts
import Crypto
import Domain
import Platform
import ServiceKit
import Storage

/// Takes one-time passwords and backup codes, each once.
struct SecondFactorCheck: Sendable {
    static let backupCodePurpose = "backup code"

    let services: AccountServices

    /// Whether the code is good for a user whose second factor is on; it is used up then.
    func takes(_ code: String, of user: UserRecord, _ origin: Origin) async throws -> Bool {
        let code = code.filter { $0 != " " && $0 != "-" }.lowercased()
        if let step = try step(of: code, user) {
            return try await AccountServices.asking { try await services.accounts.useStep(step, of: user.id) }
        }
        guard code.utf8.count == BackupCodes.characters else { return false }
        for digest in services.access.keyDigests.of(code, for: Self.backupCodePurpose)
        where user.secondFactor.backupCodes.contains(where: { constantTimeEquals($0, digest) }) {
            return try await AccountServices.asking {
                try await services.accounts.useBackupCode(
                    digest, of: user.id,
                    AuditEntry(
                        .backupCodeUsed, by: user.id.text, in: user.organization, on: "user", user.id.text, from: origin
                    ))
            }
        }
        return false
    }

    /// The step whose code this is; nil when it is wrong or was taken already.
    func step(of code: String, _ user: UserRecord) throws -> Int64? {
        guard let sealed = user.secondFactor.secret, code.utf8.count == OneTimePassword.digits else { return nil }
        let secret = try services.access.secretBox.open(sealed, for: Self.purpose(user.id))
        return OneTimePassword(secret: secret).matchingStep(
            code, at: AccountServices.now().milliseconds / 1000, after: user.secondFactor.lastStep)
    }

    /// What a stored secret belongs to.
    static func purpose(_ user: UserID) -> String { "users.mfa_secret:\(user.text)" }
}

/// Ten codes for who has lost the phone.
struct BackupCodes: Sendable {
    static let count = 10
    static let characters = 8

    let texts: [String]

    init() throws { texts = try (0..<Self.count).map { _ in Hex.encode(try RandomBytes.make(Self.characters / 2)) } }

    func digests(_ digests: KeyDigests) -> [[UInt8]] {
        texts.compactMap { digests.of($0, for: SecondFactorCheck.backupCodePurpose).first }
    }
}
