import PostgresClient

/// A database that lives for one trial restore, on the server that was dumped.
struct ScratchDatabase: Sendable {
    static let prefix = "aragora_restore_check_"

    let name: String

    /// Makes one like the database of `connection`: its encoding and collation, nothing in it.
    /// - Parameter random: distinguishes it from others of the same database.
    /// - Throws: ``BackupError`` `.unavailable` when the role may not.
    static func create(on connection: PGConnection, random: String) async throws -> ScratchDatabase {
        let source = try await connection.query(
            """
            SELECT oid::bigint AS oid, pg_encoding_to_char(encoding)::text AS encoding, datcollate::text AS collation,
                   datctype::text AS ctype
            FROM pg_database WHERE datname = current_database()
            """)[0]
        let scratch = ScratchDatabase(name: "\(prefix)\(try source.int64("oid"))_\(random)")
        do {
            _ = try await connection.execute(
                """
                CREATE DATABASE \(raw: quoted(scratch.name)) TEMPLATE template0
                ENCODING \(raw: literal(try source.text("encoding"))) LC_COLLATE \(raw: literal(try source.text("collation")))
                LC_CTYPE \(raw: literal(try source.text("ctype")))
                """)
        } catch {
            throw BackupError(.unavailable, "no scratch database for the trial restore: \(error)")
        }
        return scratch
    }

    func drop(on connection: PGConnection) async throws {
        try await connection.dropDatabase(name)
    }

    /// Drops what killed runs of this database left. Only the holder of its backup lock may.
    /// - Returns: the names dropped.
    static func dropLeftovers(on connection: PGConnection) async throws -> [String] {
        let rows = try await connection.query(
            """
            SELECT d.datname::text AS name FROM pg_database d, pg_database own
            WHERE own.datname = current_database() AND starts_with(d.datname, \(prefix) || own.oid || '_')
            """)
        let names = try rows.map { try $0.text("name") }
        for name in names { try await ScratchDatabase(name: name).drop(on: connection) }
        return names
    }

    private static func quoted(_ name: String) -> String { "\"" + doubled(name, "\"") + "\"" }
    private static func literal(_ text: String) -> String { "'" + doubled(text, "'") + "'" }

    private static func doubled(_ text: String, _ mark: Character) -> String {
        text.reduce(into: "") { result, character in
            if character == mark { result.append(mark) }
            result.append(character)
        }
    }
}
