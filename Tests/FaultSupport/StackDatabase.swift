import Platform
import PostgresClient
package import Sockets
import Storage
import TestSupport

/// A database of its own in a Postgres, with the product's schema.
package struct StackDatabase: Sendable {
    package struct BadURL: Error, CustomStringConvertible { package let description: String }

    private static let deadline = Duration.seconds(60)

    package let name: String
    package let dsn: String
    /// Where databases are made and dropped.
    private let administration: PGConfiguration

    /// - Parameter url: a `postgresql://` URL of a role that may create databases.
    package static func create(name: String, in url: String, on loop: EventLoop) async throws -> StackDatabase {
        let database = StackDatabase(
            name: name, dsn: try replacing(databaseOf: url, with: name), administration: PGConfiguration(dsn: url))
        try await database.administer("CREATE DATABASE \(raw: name)", on: loop)
        try await Migrator.migrate(
            StorageMigrations.all, configuration: PGConfiguration(dsn: database.dsn), loop: loop, log: .disabled)
        try await StackWitness.install(PGConfiguration(dsn: database.dsn), on: loop)
        return database
    }

    /// The port of its server.
    package var port: UInt16 { get throws { UInt16(try Self.authority(of: dsn).port) ?? 5432 } }

    /// The same database through another port of this machine.
    package func dsn(through port: UInt16) throws -> String {
        let (start, end) = try { ($0.start, $0.end) }(Self.authority(of: dsn))
        return String(dsn[..<start]) + "127.0.0.1:\(port)" + String(dsn[end...])
    }

    /// Where host and port stand in a URL, and the port.
    private static func authority(of url: String) throws -> (start: String.Index, end: String.Index, port: Substring) {
        guard let scheme = url.firstRange(of: "://"), let end = url[scheme.upperBound...].firstIndex(of: "/") else {
            throw BadURL(description: "not a postgresql:// URL with a database")
        }
        let all = url[scheme.upperBound..<end]
        let start = all.lastIndex(of: "@").map { all.index(after: $0) } ?? all.startIndex
        return (start, end, all[start...].split(separator: ":").dropFirst().last ?? "")
    }

    package func drop(on loop: EventLoop) async throws {
        try await administer(on: loop) { try await $0.dropDatabase(name, timeout: Self.deadline) }
    }

    /// Ends every session of this database, as an operator or a failover would.
    package func endSessions(on loop: EventLoop) async throws {
        try await administer(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = \(name)", on: loop)
    }

    private func administer(_ sql: SQL, on loop: EventLoop) async throws {
        try await administer(on: loop) { _ = try await $0.query(sql, timeout: Self.deadline) }
    }

    private func administer(on loop: EventLoop, _ work: (PGConnection) async throws -> Void) async throws {
        let connection = try await PGConnection.open(administration, loop: loop, log: .disabled)
        do { try await work(connection) } catch {
            await connection.close()
            throw error
        }
        await connection.close()
    }

    private static func replacing(databaseOf url: String, with name: String) throws -> String {
        let parts = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let scheme = parts[0].firstRange(of: "://"), let slash = parts[0][scheme.upperBound...].lastIndex(of: "/")
        else { throw BadURL(description: "not a postgresql:// URL with a database") }
        return String(parts[0][...slash]) + name + (parts.count > 1 ? "?" + parts[1] : "")
    }
}
