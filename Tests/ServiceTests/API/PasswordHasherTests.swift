import Contracts
import Crypto
import ServiceKit
import Testing

@testable import aragora_api

@Suite("Password hashes in line")
struct PasswordHasherTests {
    @Test("so many are made or wait, and one more is told when to come again")
    func bounded() async throws {
        let hasher = PasswordHasher()
        let refused = await withTaskGroup(of: APIError?.self) { group in
            for _ in 0..<(2 * PasswordHasher.maxPending) {
                group.addTask {
                    do {
                        _ = try await hasher.hash("a good long password")
                        return nil
                    } catch { return error as? APIError }
                }
            }
            return await group.reduce(into: [APIError]()) { all, error in if let error { all.append(error) } }
        }
        #expect(!refused.isEmpty && hasher.made >= PasswordHasher.maxPending)
        #expect(hasher.made + refused.count == 2 * PasswordHasher.maxPending)
        #expect(
            refused.allSatisfy { $0.code.status == 429 && $0.retryAfterSeconds == PasswordHasher.retryAfterSeconds })
        #expect(
            try await hasher.check("a good long password", against: try await hasher.hash("a good long password"))
                .isRight)
    }

    @Test("without an account as much is hashed as with one, and nothing is right")
    func stranger() async throws {
        let hasher = PasswordHasher(cost: .init(logN: 4, r: 1, p: 1))
        let text = try await hasher.hash("a good long password")
        for stored in [nil, "", "not a hash", text] {
            let before = hasher.made
            let isRight = try await hasher.check("another password", against: stored).isRight
            #expect(!isRight && hasher.made == before + 1)
        }
    }
}
