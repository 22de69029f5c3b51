import Contracts
import Crypto
import Platform

/// Public keys as a person gives them: the key itself, or a file of it, or the answer of `/api/receipts/signing-key`.
enum PublicKeys {
    private static let limitBytes = 64 * 1024

    /// - Throws: ``CommandFailure`` `.failed` when it is none of these.
    static func read(_ given: String, on blocking: BlockingExecutor) async throws -> [Ed25519.PublicKey] {
        if let key = try? Ed25519.PublicKey(text: given) { return [key] }
        let bytes = try await InputText.read(given, limit: limitBytes, on: blocking)
        do throws(CryptoError) {
            guard let texts = SigningKeysBody.keys(in: bytes) else {
                return [try Ed25519.PublicKey(text: String(decoding: bytes, as: UTF8.self))]
            }
            var keys: [Ed25519.PublicKey] = []
            for text in texts { keys.append(try Ed25519.PublicKey(text: text)) }
            guard !keys.isEmpty else { throw CryptoError(.invalidKey, "it names no key") }
            return keys
        } catch {
            throw CommandFailure(.failed, "\(given): \(error.message)")
        }
    }
}
