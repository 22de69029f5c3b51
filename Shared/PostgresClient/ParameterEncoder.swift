/// Lays the parameters of one statement out in PostgreSQL's binary format, in one buffer that is used again.
struct ParameterEncoder {
    /// A buffer that grew past this is given back after use.
    static let keptCapacityBytes = 256 * 1024

    private(set) var bytes: [UInt8] = []
    /// Where each value starts in ``bytes``; -1 for null.
    private(set) var offsets: [Int] = []
    private(set) var lengths: [Int32] = []
    private(set) var formats: [Int32] = []

    mutating func encode(_ values: [PGValue]) {
        if bytes.capacity > Self.keptCapacityBytes { bytes = [] }
        bytes.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        while formats.count < values.count { formats.append(1) }
        for value in values { append(value) }
        // An empty buffer has no address to point a zero-length value at.
        if bytes.isEmpty { bytes.append(0) }
    }

    private mutating func append(_ value: PGValue) {
        let start = bytes.count
        switch value {
        case .null:
            offsets.append(-1)
            lengths.append(0)
            return
        case .bool(let value): bytes.append(value ? 1 : 0)
        case .int(let value): put(value)
        case .double(let value): put(value.bitPattern)
        case .text(let value): bytes.append(contentsOf: value.utf8)
        case .bytes(let value): bytes.append(contentsOf: value)
        case .textArray(let items): array(items, of: .text) { $0.append(contentsOf: $1.utf8) }
        case .bytesArray(let items): array(items, of: .bytea) { $0.append(contentsOf: $1) }
        case .boolArray(let items): array(items, of: .bool) { $0.append($1 ? 1 : 0) }
        case .intArray(let items):
            array(items, of: .int8) { Self.put($1, in: &$0) }
        }
        offsets.append(start)
        lengths.append(Int32(bytes.count - start))
    }

    /// array_send: dimensions, has-null flag, element type; per dimension its length and lower bound; then the elements.
    private mutating func array<Item>(_ items: [Item?], of type: PGType, _ add: (inout [UInt8], Item) -> Void) {
        put(Int32(items.isEmpty ? 0 : 1))
        put(Int32(items.contains { $0 == nil } ? 1 : 0))
        put(type.rawValue)
        guard !items.isEmpty else { return }
        put(Int32(items.count))
        put(Int32(1))
        for item in items {
            let header = bytes.count
            put(Int32(-1))
            guard let item else { continue }
            add(&bytes, item)
            let length = UInt32(bytes.count - header - 4)
            for index in 0..<4 { bytes[header + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index)) }
        }
    }

    private mutating func put<Number: FixedWidthInteger>(_ number: Number) {
        Self.put(number, in: &bytes)
    }

    private static func put<Number: FixedWidthInteger>(_ number: Number, in bytes: inout [UInt8]) {
        unsafe withUnsafeBytes(of: number.bigEndian) { unsafe bytes.append(contentsOf: $0) }
    }
}
