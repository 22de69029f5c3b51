/// A column of sealed secrets: everything that a change of the encryption key has to reach.
///
/// Whoever adds a column with a `SecretBox` in front of it adds a line here; a test compares the lines with the schema.
package struct SealedColumn: Sendable, Hashable {
    package let table: String
    package let column: String
    /// An expression that names a row, as its purpose does.
    let key: String
    /// What a secret is sealed for: this, and the row's key.
    let purpose: String

    private init(_ table: String, _ column: String, key: String = "id", sealedFor purpose: String) {
        self.table = table
        self.column = column
        self.key = key
        self.purpose = purpose
    }

    /// As status and docs name it.
    package var name: String { "\(table).\(column)" }

    package static let all: [SealedColumn] = [
        SealedColumn("users", "mfa_secret", sealedFor: "users.mfa_secret:"),
        SealedColumn("webhook_endpoints", "secret", sealedFor: "webhook secret "),
        SealedColumn("webhook_endpoints", "headers", sealedFor: "webhook headers "),
        SealedColumn("debate_callbacks", "address", key: "channel || ' ' || debate_id", sealedFor: "callback "),
        SealedColumn("webhook_outbox", "address", key: "message_id", sealedFor: "reply "),
    ]

    /// The version in front of a sealed secret, as hex; see `SecretBox`.
    var version: String { "encode(substring(\(column) FROM 2 FOR 4), 'hex')" }
}
