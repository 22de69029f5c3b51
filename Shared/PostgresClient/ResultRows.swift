/// What one statement answered, copied out of libpq: all cells in one buffer, shared by the rows.
final class ResultRows: Sendable {
    struct Column: Sendable {
        let name: String
        let type: PGType
    }

    let columns: [Column]
    let bytes: [UInt8]
    /// Where each cell ends in ``bytes``, row by row; the cell before it ends where this one starts. Bit 63 marks null.
    let ends: [UInt64]
    let count: Int

    static let nullMark: UInt64 = 1 << 63

    init(columns: [Column], bytes: [UInt8], ends: [UInt64], count: Int) {
        self.columns = columns
        self.bytes = bytes
        self.ends = ends
        self.count = count
    }

    /// The bytes of a cell; nil for null.
    func cell(row: Int, column: Int) -> ArraySlice<UInt8>? {
        let index = row * columns.count + column
        guard ends[index] & Self.nullMark == 0 else { return nil }
        let start = index == 0 ? 0 : Int(ends[index - 1] & ~Self.nullMark)
        return bytes[start..<Int(ends[index])]
    }
}

/// The answer to one statement.
package struct PGResult: Sendable {
    /// The rows of a SELECT or RETURNING; empty otherwise.
    package let rows: [Row]
    /// Rows inserted, updated, deleted, merged or selected.
    package let affected: Int
    /// COMMIT says ROLLBACK when a statement of the transaction had failed.
    let isRollback: Bool

    init(rows: [Row] = [], affected: Int = 0, isRollback: Bool = false) {
        self.rows = rows
        self.affected = affected
        self.isRollback = isRollback
    }
}
