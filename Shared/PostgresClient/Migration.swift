import Crypto

extension Migrator {
    /// One forward step of the schema: a file `0007_add_budgets.sql`.
    ///
    /// Lines at its head that begin with `--` may say `-- compatible` (programs that do not know this step still work on
    /// the schema after it) and `-- no-transaction` (a single statement, such as CREATE INDEX CONCURRENTLY, that can be
    /// run again after it failed half way).
    package struct Migration: Sendable, Equatable {
        package let version: Int
        package let name: String
        package let sql: String
        /// SHA-256 of the text, in hex.
        package let checksum: String
        package let isCompatible: Bool
        package let noTransaction: Bool

        /// - Parameter fileName: `<version>_<name>.sql`, the version a positive number.
        /// - Throws: `.malformed` for another name.
        package init(fileName: String, sql: String) throws(MigrationError) {
            let parts = fileName.split(separator: "_", maxSplits: 1)
            guard fileName.hasSuffix(".sql"), parts.count == 2, let version = Int(parts[0]), version > 0 else {
                throw MigrationError(.malformed, "\(fileName) is not named <number>_<name>.sql")
            }
            self.init(version: version, name: String(parts[1].dropLast(4)), sql: sql)
        }

        package init(version: Int, name: String, sql: String) {
            self.version = version
            self.name = name
            self.sql = sql
            checksum = Hex.encode(SHA256.hash(sql))
            let head = Self.head(of: sql)
            isCompatible = head.contains("compatible")
            noTransaction = head.contains("no-transaction")
        }

        /// The comments before the first line of SQL, without their dashes.
        private static func head(of sql: String) -> [String] {
            sql.split(whereSeparator: \.isNewline)
                .map { $0.drop { $0 == " " || $0 == "\t" } }
                .prefix { $0.hasPrefix("--") || $0.isEmpty }
                .map { String($0.drop { $0 == "-" || $0 == " " }.split(separator: " ").first ?? "") }
        }
    }
}
