/// What is known of a verified backup: written beside its file as JSON, read before a restore.
package struct BackupManifest: Sendable, Equatable {
    /// Raised when a field changes its meaning; an unknown one is refused.
    package static let format: Int64 = 1
    /// The largest manifest that is read.
    package static let maximumBytes = 1 << 20

    /// The name of the dump beside this manifest, without a folder.
    package let file: String
    /// ISO 8601 in UTC: when the dump's snapshot was taken, and when the trial restore had been verified.
    package let startedAt: String
    package let verifiedAt: String
    /// Bytes of the file, and of the SQL text inside it.
    package let sizeBytes: Int64
    package let uncompressedBytes: Int64
    /// Lower-case hex of the file's bytes.
    package let sha256: String
    /// Rows per table (`schema.table`), counted in the snapshot that was dumped, in table order.
    package let rowCounts: [TableCount]
    /// The log's generation, and the newest migration, in that snapshot.
    package let generation: Int64
    package let schemaVersion: Int64
    /// As Postgres numbers itself, for example 150020.
    package let serverVersion: Int64
    /// What the walk over the restored copy proved.
    package let debates: Int64
    package let events: Int64

    /// Rows of one table.
    package struct TableCount: Sendable, Equatable {
        package let table: String
        package let rows: Int64

        package init(table: String, rows: Int64) {
            self.table = table
            self.rows = rows
        }
    }

    package init(
        file: String, startedAt: String, verifiedAt: String, sizeBytes: Int64, uncompressedBytes: Int64, sha256: String,
        rowCounts: [TableCount], generation: Int64, schemaVersion: Int64, serverVersion: Int64, debates: Int64,
        events: Int64
    ) {
        self.file = file
        self.startedAt = startedAt
        self.verifiedAt = verifiedAt
        self.sizeBytes = sizeBytes
        self.uncompressedBytes = uncompressedBytes
        self.sha256 = sha256
        self.rowCounts = rowCounts
        self.generation = generation
        self.schemaVersion = schemaVersion
        self.serverVersion = serverVersion
        self.debates = debates
        self.events = events
    }

    /// The manifest as JSON, also shown by `backup list --json`.
    package var json: JSONObject {
        JSONObject([
            ("format", .int(Self.format)), ("file", .string(file)), ("started_at", .string(startedAt)),
            ("verified_at", .string(verifiedAt)), ("size_bytes", .int(sizeBytes)),
            ("uncompressed_bytes", .int(uncompressedBytes)), ("sha256", .string(sha256)),
            ("row_counts", .object(JSONObject(rowCounts.map { ($0.table, .int($0.rows)) }))),
            ("generation", .int(generation)), ("schema_version", .int(schemaVersion)),
            ("server_version", .int(serverVersion)), ("debates", .int(debates)), ("events", .int(events)),
        ])
    }

    /// The bytes of the file.
    package func encode() -> [UInt8] { CanonicalJSON.encode(json) + [0x0A] }

    /// Reads what ``encode()`` wrote.
    /// - Throws: ``ContractError`` naming the first field that is missing or of another type.
    package init(_ bytes: [UInt8]) throws(ContractError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(bytes, maximumBytes: Self.maximumBytes)
        } catch {
            throw ContractError(.malformed, "manifest: \(error)")
        }
        guard let object = value.object else { throw ContractError(.malformed, "manifest: not an object") }
        func text(_ field: String) throws(ContractError) -> String {
            guard let value = object[field]?.string else {
                throw ContractError(.malformed, "manifest: no text \(field)")
            }
            return value
        }
        func number(_ field: String) throws(ContractError) -> Int64 {
            guard let value = object[field]?.int, value >= 0 else {
                throw ContractError(.malformed, "manifest: no whole number \(field)")
            }
            return value
        }
        guard try number("format") == Self.format else {
            throw ContractError(.unknownVersion, "manifest: of another format than \(Self.format)")
        }
        guard let counts = object["row_counts"]?.object else {
            throw ContractError(.malformed, "manifest: no row_counts")
        }
        var rowCounts: [TableCount] = []
        for member in counts.members {
            guard let rows = member.value.int else {
                throw ContractError(.malformed, "manifest: no count of \(member.key)")
            }
            rowCounts.append(TableCount(table: member.key, rows: rows))
        }
        self.init(
            file: try text("file"), startedAt: try text("started_at"), verifiedAt: try text("verified_at"),
            sizeBytes: try number("size_bytes"), uncompressedBytes: try number("uncompressed_bytes"),
            sha256: try text("sha256"), rowCounts: rowCounts, generation: try number("generation"),
            schemaVersion: try number("schema_version"), serverVersion: try number("server_version"),
            debates: try number("debates"), events: try number("events"))
    }
}
