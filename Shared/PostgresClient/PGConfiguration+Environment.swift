package import Platform

extension PGConfiguration {
    /// The same database as environment variables (`PGHOST`, `PGPASSWORD` …) for Postgres's own programs: their
    /// arguments could be read by every user of the machine.
    ///
    /// What the DSN does not say is left to the caller's environment, as libpq itself does.
    /// - Throws: `.invalid` when the DSN can not be read.
    package func programEnvironment() throws(PGError) -> [String: Secret<String>] {
        guard let parsed = PGHandle.parse(dsn: dsn.reveal()) else {
            throw PGError(.invalid, "the DSN is neither a Postgres URI nor key=value pairs")
        }
        var environment: [String: Secret<String>] = [:]
        for (keyword, value) in parsed {
            if let name = Self.environmentNames[keyword] { environment[name] = Secret(value) }
        }
        return environment
    }

    /// The same server and user, another database.
    /// - Throws: `.invalid` when the DSN can not be read.
    package func connecting(toDatabase name: String) throws(PGError) -> PGConfiguration {
        guard var parsed = PGHandle.parse(dsn: dsn.reveal()) else {
            throw PGError(.invalid, "the DSN is neither a Postgres URI nor key=value pairs")
        }
        parsed["dbname"] = name
        var copy = self
        copy.dsn = Secret(parsed.map { "\($0.key)='\(Self.escape($0.value))'" }.joined(separator: " "))
        return copy
    }

    /// In a quoted value a backslash takes the next character as it is.
    private static func escape(_ value: String) -> String {
        value.reduce(into: "") { result, character in
            if character == "'" || character == "\\" { result.append("\\") }
            result.append(character)
        }
    }

    /// libpq's keywords and their variables (PostgreSQL 15, "Environment Variables"); keepalives and the like have none.
    private static let environmentNames = [
        "host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER",
        "password": "PGPASSWORD", "passfile": "PGPASSFILE", "service": "PGSERVICE", "options": "PGOPTIONS",
        "sslmode": "PGSSLMODE", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY", "sslrootcert": "PGSSLROOTCERT",
        "sslcrl": "PGSSLCRL", "channel_binding": "PGCHANNELBINDING", "gssencmode": "PGGSSENCMODE",
        "krbsrvname": "PGKRBSRVNAME", "target_session_attrs": "PGTARGETSESSIONATTRS",
    ]
}
