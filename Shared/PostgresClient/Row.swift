/// One row of an answer, decoded by column name. Cheap to copy: rows share their answer's buffer.
///
/// Each accessor throws ``PGError`` `.decoding` when the column is missing, is null where a value is asked for, or has
/// a type that does not fit. `numeric`, `interval` and the like are cast in the statement (`sum(x)::bigint`).
package struct Row: Sendable {
    let result: ResultRows
    let index: Int

    /// The names of the columns, in order.
    package var columnNames: [String] { result.columns.map(\.name) }

    /// Text, varchar, json, jsonb, uuid, name and enums.
    package func text(_ column: String) throws(PGError) -> String { try require(column, optionalText(column)) }
    package func optionalText(_ column: String) throws(PGError) -> String? {
        try decode(column, as: "text", CellReader.text)
    }

    /// The bytes of a bytea.
    package func bytes(_ column: String) throws(PGError) -> [UInt8] { try require(column, optionalBytes(column)) }
    package func optionalBytes(_ column: String) throws(PGError) -> [UInt8]? {
        try decode(column, as: "bytes", CellReader.bytes)
    }

    /// smallint, integer, bigint and oid.
    package func int64(_ column: String) throws(PGError) -> Int64 { try require(column, optionalInt64(column)) }
    package func optionalInt64(_ column: String) throws(PGError) -> Int64? {
        try decode(column, as: "int", CellReader.int)
    }

    /// The same as ``int64(_:)``, as the machine's word.
    package func int(_ column: String) throws(PGError) -> Int { Int(try int64(column)) }
    package func optionalInt(_ column: String) throws(PGError) -> Int? { try optionalInt64(column).map { Int($0) } }

    /// real, double precision, and the integers.
    package func double(_ column: String) throws(PGError) -> Double { try require(column, optionalDouble(column)) }
    package func optionalDouble(_ column: String) throws(PGError) -> Double? {
        try decode(column, as: "double", CellReader.double)
    }

    package func bool(_ column: String) throws(PGError) -> Bool { try require(column, optionalBool(column)) }
    package func optionalBool(_ column: String) throws(PGError) -> Bool? {
        try decode(column, as: "bool", CellReader.bool)
    }

    /// timestamptz (and timestamp, taken as UTC) in milliseconds since 1970, rounded down.
    package func milliseconds(_ column: String) throws(PGError) -> Int64 {
        try require(column, optionalMilliseconds(column))
    }
    package func optionalMilliseconds(_ column: String) throws(PGError) -> Int64? {
        try decode(column, as: "timestamp", CellReader.milliseconds)
    }

    /// A one-dimensional array without nulls.
    package func textArray(_ column: String) throws(PGError) -> [String] { try full(column, nullableTextArray(column)) }
    package func intArray(_ column: String) throws(PGError) -> [Int64] { try full(column, nullableIntArray(column)) }
    package func bytesArray(_ column: String) throws(PGError) -> [[UInt8]] {
        try full(column, nullableBytesArray(column))
    }
    package func boolArray(_ column: String) throws(PGError) -> [Bool] { try full(column, nullableBoolArray(column)) }

    /// A one-dimensional array that may hold nulls.
    package func nullableTextArray(_ column: String) throws(PGError) -> [String?] { try array(column, CellReader.text) }
    package func nullableIntArray(_ column: String) throws(PGError) -> [Int64?] { try array(column, CellReader.int) }
    package func nullableBytesArray(_ column: String) throws(PGError) -> [[UInt8]?] {
        try array(column, CellReader.bytes)
    }
    package func nullableBoolArray(_ column: String) throws(PGError) -> [Bool?] { try array(column, CellReader.bool) }

    package func isNull(_ column: String) throws(PGError) -> Bool {
        result.cell(row: index, column: try position(column)) == nil
    }

    // MARK: The common path

    private typealias Reader<Value> = (ArraySlice<UInt8>, PGType) -> Value?

    private func position(_ column: String) throws(PGError) -> Int {
        // A row has a handful of columns; comparing short names beats hashing them.
        guard let position = result.columns.firstIndex(where: { $0.name == column }) else {
            throw PGError(.decoding, "no column \(column)")
        }
        return position
    }

    private func decode<Value>(_ column: String, as kind: String, _ read: Reader<Value>) throws(PGError) -> Value? {
        let position = try position(column)
        guard let cell = result.cell(row: index, column: position) else { return nil }
        let type = result.columns[position].type
        guard let value = read(cell, type) else {
            throw PGError(.decoding, "column \(column) of type \(type.rawValue) does not read as \(kind)")
        }
        return value
    }

    private func require<Value>(_ column: String, _ value: Value?) throws(PGError) -> Value {
        guard let value else { throw PGError(.decoding, "column \(column) is null") }
        return value
    }

    private func array<Value>(_ column: String, _ read: @escaping Reader<Value>) throws(PGError) -> [Value?] {
        try require(column, decode(column, as: "array") { CellReader.array($0, $1, read) })
    }

    private func full<Value>(_ column: String, _ values: [Value?]) throws(PGError) -> [Value] {
        let full = values.compactMap { $0 }
        guard full.count == values.count else { throw PGError(.decoding, "array in column \(column) holds null") }
        return full
    }
}
