import Contracts
import Crypto
import Platform
import ServiceKit

/// Makes and checks password hashes, on threads of its own and few at a time: each takes 32 MiB and a tenth of a second.
final class PasswordHasher: Sendable {
    static let threads = 2
    /// Hashes that are made or wait; one more is refused at once, so that a flood of sign-ins stops at the door.
    static let maxPending = 32
    /// About what the ones that wait take.
    static let retryAfterSeconds = 2

    private struct State {
        var pending = 0
        var made = 0
    }

    private let executor = BlockingExecutor(label: "passwords", threads: threads)
    private let cost: PasswordHash.Cost
    private let state = Lock(State())
    /// Checked when there is no account, so that the answer takes as long as with one.
    private let stranger: Reloadable<PasswordHash?> = Reloadable(nil)

    init(cost: PasswordHash.Cost = .standard) { self.cost = cost }

    /// Hashes made since the process began, for tests: equal work is counted, not timed.
    var made: Int { state.withLock { $0.made } }

    /// - Throws: ``APIError`` 429 when too many wait.
    func hash(_ password: String) async throws -> String {
        try await run { [cost] in try PasswordHash(of: password, cost: cost).text }
    }

    /// Whether the password is right. Without a hash, or one that can not be read, one is checked all the same.
    /// - Returns: also whether the hash is of another cost than new ones.
    /// - Throws: ``APIError`` 429 when too many wait.
    func check(_ password: String, against text: String?) async throws -> (isRight: Bool, isOutdated: Bool) {
        let known = text.flatMap(PasswordHash.init)
        let stranger = try await self.knownStranger()
        return try await run { [cost] in
            let isRight = try (known ?? stranger).matches(password)
            return (isRight && known != nil, known.map { $0.cost != cost } ?? false)
        }
    }

    /// Made once, of a password that nobody knows.
    private func knownStranger() async throws -> PasswordHash {
        if let hash = stranger.current { return hash }
        let hash = try await run(counts: false) { [cost] in
            try PasswordHash(of: Hex.encode(RandomBytes.make(32)), cost: cost)
        }
        stranger.replace(with: hash)
        return hash
    }

    private func run<Value: Sendable>(
        counts: Bool = true, _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let isAdmitted = state.withLock { state in
            guard state.pending < Self.maxPending else { return false }
            state.pending += 1
            if counts { state.made += 1 }
            return true
        }
        guard isAdmitted else {
            var error = APIError(.rateLimited, "Too many sign-ins at once")
            error.retryAfterSeconds = Self.retryAfterSeconds
            throw error
        }
        defer { state.withLock { $0.pending -= 1 } }
        return try await executor.run(work)
    }
}
