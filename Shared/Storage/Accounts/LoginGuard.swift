package import PostgresClient

/// How many sign-ins may fail before the next must wait (contract §2.2).
package enum LockoutRule {
    /// So many failures, and the lock they bring, in seconds; the last goes on for every failure after it.
    package static let steps: [(failures: Int, seconds: Int64)] = [(5, 60), (10, 15 * 60), (15, 60 * 60)]
    /// Failures are forgotten when none came, and no lock held, for so long.
    package static let forgetSeconds: Int64 = 60 * 60

    /// The lock that the n-th failure brings; 0 when it brings none.
    package static func lockSeconds(afterFailure count: Int) -> Int64 {
        guard let last = steps.last else { return 0 }
        if count >= last.failures { return last.seconds }
        return steps.first { $0.failures == count }?.seconds ?? 0
    }
}

/// What a sign-in may do.
package enum LoginPermit: Sendable, Equatable {
    case granted
    /// Whole seconds until another may be tried.
    case locked(seconds: Int64)
}

/// Counts failed sign-ins by account and by address, the same on every replica.
///
/// An attempt is counted before the password is looked at and taken back when it was right: a thousand at once get no more
/// tries than one after another.
package struct LoginGuard: Sendable {
    let pool: PGPool

    package init(pool: PGPool) { self.pool = pool }

    /// - Parameters:
    ///   - account: the address that was typed, in lower case, whether or not it has an account.
    ///   - address: the client's.
    /// - Throws: ``StorageError``; nobody signs in then.
    package func begin(account: String, address: String) async throws(StorageError) -> LoginPermit {
        do {
            return try await pool.withTransaction { transaction in
                var wait: Int64 = 0
                // Always in this order, so that two never wait for each other.
                for (kind, subject) in [("account", account), ("address", address)] {
                    let row = try await transaction.query(
                        """
                        INSERT INTO login_failures AS f (kind, subject, failures) VALUES (\(kind), \(subject), 0)
                        ON CONFLICT (kind, subject) DO UPDATE SET failures = CASE
                            WHEN greatest(f.last_at, f.locked_until) < now() - \(LockoutRule.forgetSeconds) * interval '1 second'
                            THEN 0 ELSE f.failures END
                        RETURNING failures, ceil(extract(epoch FROM f.locked_until - now()))::bigint AS wait
                        """
                    ).first
                    wait = max(wait, try row?.optionalInt64("wait") ?? 0)
                }
                guard wait <= 0 else { return .locked(seconds: wait) }
                for (kind, subject) in [("account", account), ("address", address)] {
                    try await Self.count(kind, subject, in: transaction)
                }
                return .granted
            }
        } catch { throw StorageError.wrap(error, "login") }
    }

    private static func count(_ kind: String, _ subject: String, in transaction: PGTransaction) async throws {
        let row = try await transaction.query(
            """
            UPDATE login_failures SET failures = failures + 1, last_at = now(), locked_until = NULL
            WHERE kind = \(kind) AND subject = \(subject) RETURNING failures
            """
        ).first
        let lock = LockoutRule.lockSeconds(afterFailure: try row?.int("failures") ?? 0)
        guard lock > 0 else { return }
        _ = try await transaction.execute(
            """
            UPDATE login_failures SET locked_until = now() + \(lock) * interval '1 second'
            WHERE kind = \(kind) AND subject = \(subject)
            """)
    }

    /// The attempt was no failure, and not a sign-in either: a second factor is still asked for.
    /// - Throws: ``StorageError``.
    package func takeBack(account: String, address: String) async throws(StorageError) {
        do {
            _ = try await pool.batch([Self.forgive("account", account), Self.forgive("address", address)])
        } catch { throw StorageError.wrap(error, "login") }
    }

    /// One attempt less, and without the lock that this attempt may have brought.
    private static func forgive(_ kind: String, _ subject: String) -> SQL {
        """
        UPDATE login_failures SET failures = greatest(0, failures - 1),
            locked_until = CASE WHEN failures <= \(LockoutRule.steps[0].failures) THEN NULL ELSE locked_until END
        WHERE kind = \(kind) AND subject = \(subject)
        """
    }

    /// The password was right: the account begins anew, the address gets this one attempt back. It is not forgiven the
    /// others: who has one account could otherwise try those of others for ever.
    /// - Throws: ``StorageError``.
    package func succeeded(account: String, address: String) async throws(StorageError) {
        do {
            _ = try await pool.batch([
                "DELETE FROM login_failures WHERE kind = 'account' AND subject = \(account)",
                Self.forgive("address", address),
            ])
        } catch { throw StorageError.wrap(error, "login") }
    }
}
