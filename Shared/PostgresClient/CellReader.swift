/// Reads one cell in PostgreSQL's binary format. Nil means: not of that type, or malformed.
enum CellReader {
    static func text(_ cell: ArraySlice<UInt8>, _ type: PGType) -> String? {
        if type == .jsonb {
            // jsonb_send: a version byte, then the text.
            guard cell.first == 1 else { return nil }
            return String(validating: cell.dropFirst(), as: UTF8.self)
        }
        if type == .uuid { return uuid(cell) }
        guard type.isTextual else { return nil }
        return String(validating: cell, as: UTF8.self)
    }

    static func bytes(_ cell: ArraySlice<UInt8>, _ type: PGType) -> [UInt8]? {
        type == .bytea ? Array(cell) : nil
    }

    static func bool(_ cell: ArraySlice<UInt8>, _ type: PGType) -> Bool? {
        guard type == .bool, cell.count == 1 else { return nil }
        return cell.first == 1
    }

    static func int(_ cell: ArraySlice<UInt8>, _ type: PGType) -> Int64? {
        switch type {
        case .int8: number(cell, as: Int64.self)
        case .int4: number(cell, as: Int32.self).map { Int64($0) }
        case .int2: number(cell, as: Int16.self).map { Int64($0) }
        case .oid: number(cell, as: UInt32.self).map { Int64($0) }
        default: nil
        }
    }

    static func double(_ cell: ArraySlice<UInt8>, _ type: PGType) -> Double? {
        switch type {
        case .float8: number(cell, as: UInt64.self).map { Double(bitPattern: $0) }
        case .float4: number(cell, as: UInt32.self).map { Double(Float(bitPattern: $0)) }
        default: int(cell, type).map { Double($0) }
        }
    }

    /// timestamptz_send: microseconds since 2000-01-01 UTC.
    static func milliseconds(_ cell: ArraySlice<UInt8>, _ type: PGType) -> Int64? {
        guard type == .timestamptz || type == .timestamp, let micros = number(cell, as: Int64.self) else { return nil }
        // The extremes stand for ±infinity.
        guard micros != .max, micros != .min else { return nil }
        let (quotient, remainder) = micros.quotientAndRemainder(dividingBy: 1000)
        return quotient - (remainder < 0 ? 1 : 0) + 946_684_800_000
    }

    /// array_send, one dimension; an empty array has none.
    static func array<Value>(
        _ cell: ArraySlice<UInt8>, _ type: PGType, _ read: (ArraySlice<UInt8>, PGType) -> Value?
    ) -> [Value?]? {
        guard let element = type.element else { return nil }
        var rest = cell
        guard let dimensions = take(&rest, as: Int32.self), take(&rest, as: Int32.self) != nil,
            take(&rest, as: UInt32.self) != nil
        else { return nil }
        if dimensions == 0 { return [] }
        guard dimensions == 1, let count = take(&rest, as: Int32.self), take(&rest, as: Int32.self) != nil, count >= 0,
            Int(count) <= rest.count / 4
        else { return nil }
        var values: [Value?] = []
        values.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let length = take(&rest, as: Int32.self) else { return nil }
            if length < 0 { values.append(nil); continue }
            guard Int(length) <= rest.count, let value = read(rest.prefix(Int(length)), element) else { return nil }
            values.append(value)
            rest = rest.dropFirst(Int(length))
        }
        return values
    }

    private static func take<Number: FixedWidthInteger>(_ rest: inout ArraySlice<UInt8>, as: Number.Type) -> Number? {
        let width = Number.bitWidth / 8
        guard rest.count >= width, let value = number(rest.prefix(width), as: Number.self) else { return nil }
        rest = rest.dropFirst(width)
        return value
    }

    private static func number<Number: FixedWidthInteger>(_ cell: ArraySlice<UInt8>, as: Number.Type) -> Number? {
        guard cell.count == Number.bitWidth / 8 else { return nil }
        return cell.reduce(Number.zero) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }

    private static func uuid(_ cell: ArraySlice<UInt8>) -> String? {
        guard cell.count == 16 else { return nil }
        let digits = Array("0123456789abcdef")
        var text = ""
        for (index, byte) in cell.enumerated() {
            if [4, 6, 8, 10].contains(index) { text.append("-") }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return text
    }
}
