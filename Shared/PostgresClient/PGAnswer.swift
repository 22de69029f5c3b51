import CLibPQ

/// One result of libpq, copied; the C object is freed before this exists.
enum PGAnswer {
    /// No more results for the present command.
    case endOfCommand
    case result(PGResult)
    case failed(PGError)
    /// Skipped, because something before it in its group failed.
    case skipped
    case sync
    /// COPY and whatever else this driver never asks for.
    case unexpected(String)

    @unsafe init(taking result: OpaquePointer) {
        defer { unsafe PQclear(result) }
        let status = unsafe PQresultStatus(result)
        switch status {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: self = unsafe Self.copy(result)
        case PGRES_PIPELINE_SYNC: self = .sync
        case PGRES_PIPELINE_ABORTED: self = .skipped
        case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE: self = .failed(unsafe Self.error(of: result))
        default: self = .unexpected(unsafe String(cString: PQresStatus(status)))
        }
    }

    @unsafe private static func copy(_ result: OpaquePointer) -> PGAnswer {
        let affected = unsafe number(PQcmdTuples(result))
        let rowCount = unsafe Int(PQntuples(result))
        guard rowCount > 0 else {
            return .result(PGResult(affected: affected, isRollback: unsafe isRollback(PQcmdStatus(result))))
        }
        guard let cells = unsafe cells(result, rowCount: rowCount) else {
            return .failed(PGError(.decoding, "an answer over \(PGConfiguration.maxResultBytes) bytes"))
        }
        return .result(PGResult(rows: (0..<rowCount).map { Row(result: cells, index: $0) }, affected: affected))
    }

    @unsafe private static func cells(_ result: OpaquePointer, rowCount: Int) -> ResultRows? {
        let columnCount = unsafe Int(PQnfields(result))
        var columns: [ResultRows.Column] = []
        columns.reserveCapacity(columnCount)
        for column in 0..<Int32(columnCount) {
            let name = unsafe String(cString: PQfname(result, column))
            columns.append(.init(name: name, type: unsafe PGType(rawValue: PQftype(result, column))))
        }
        var bytes: [UInt8] = []
        var ends: [UInt64] = []
        ends.reserveCapacity(rowCount * columnCount)
        for row in 0..<Int32(rowCount) {
            for column in 0..<Int32(columnCount) {
                let length = unsafe Int(PQgetlength(result, row, column))
                if length > 0 {
                    guard bytes.count + length <= PGConfiguration.maxResultBytes else { return nil }
                    unsafe bytes.append(
                        contentsOf: UnsafeRawBufferPointer(start: PQgetvalue(result, row, column), count: length))
                }
                let isNull = unsafe length == 0 && PQgetisnull(result, row, column) == 1
                ends.append(UInt64(bytes.count) | (isNull ? ResultRows.nullMark : 0))
            }
        }
        return ResultRows(columns: columns, bytes: bytes, ends: ends, count: rowCount)
    }

    /// The fields of an error or a notice. DETAIL is left out: it quotes values.
    @unsafe static func error(of result: OpaquePointer) -> PGError {
        let severity = unsafe field(result, "V") ?? ""
        return PGError(
            server: unsafe field(result, "M") ?? String(cString: PQresultErrorMessage(result)),
            sqlState: unsafe field(result, "C"), constraint: unsafe field(result, "n"),
            position: unsafe field(result, "P").flatMap { Int($0) },
            isFatal: severity == "FATAL" || severity == "PANIC")
    }

    @unsafe private static func field(_ result: OpaquePointer, _ code: Unicode.Scalar) -> String? {
        unsafe PQresultErrorField(result, Int32(code.value)).map { unsafe String(cString: $0) }
    }

    @unsafe private static func number(_ digits: UnsafePointer<CChar>?) -> Int {
        guard var digit = unsafe digits else { return 0 }
        var number = 0
        while unsafe digit.pointee >= 48 && digit.pointee <= 57 {
            number = unsafe number &* 10 &+ Int(digit.pointee - 48)
            unsafe digit += 1
        }
        return number
    }

    @unsafe private static func isRollback(_ tag: UnsafePointer<CChar>?) -> Bool {
        guard let tag = unsafe tag, unsafe tag.pointee == 82 else { return false }
        let text = unsafe String(cString: tag)
        return text == "ROLLBACK"
    }
}
