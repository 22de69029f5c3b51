/// Writes protocol buffer fields (proto3 wire format): as much of it as OTLP needs.
struct ProtobufWriter {
    private enum WireType: UInt64 { case varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 }

    private(set) var bytes: [UInt8] = []

    /// A number; left out when it is 0, which is what absence means.
    mutating func varint(_ field: UInt64, _ value: UInt64) {
        guard value != 0 else { return }
        present(field, value)
    }

    /// A number that is written even when it is 0: a member of a `oneof`.
    mutating func present(_ field: UInt64, _ value: UInt64) {
        tag(field, .varint)
        append(value)
    }

    mutating func fixed64(_ field: UInt64, _ value: UInt64) {
        tag(field, .fixed64)
        for place in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * place))) }
    }

    mutating func fixed32(_ field: UInt64, _ value: UInt32) {
        tag(field, .fixed32)
        for place in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * place))) }
    }

    /// Bytes of their own length, also none.
    mutating func bytes(_ field: UInt64, _ value: some Collection<UInt8>) {
        tag(field, .bytes)
        append(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func text(_ field: UInt64, _ value: String) { bytes(field, value.utf8) }

    mutating func message(_ field: UInt64, _ write: (inout ProtobufWriter) -> Void) {
        var inner = ProtobufWriter()
        write(&inner)
        bytes(field, inner.bytes)
    }

    private mutating func tag(_ field: UInt64, _ type: WireType) { append(field << 3 | type.rawValue) }

    private mutating func append(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
