/// What the publisher puts into Redis, in a stream entry's field `b` and in a pub/sub message: a header of 82 bytes and
/// the envelope, so that a gateway checks order and links without reading JSON.
///
/// | offset | 0 | 1 | 2 | 10 | 18 | 50 | 82 |
/// |---|---|---|---|---|---|---|---|
/// | what | version | kind | seq, big endian | epoch, big endian | hash | hash before | envelope |
package struct PublishedEntry: Sendable, Equatable {
    /// The version we write and read.
    package static let version: UInt8 = 1
    /// Bytes before the envelope.
    package static let headerLength = 82
    /// The stream's field that holds an entry.
    package static let streamField = "b"

    package enum Kind: UInt8, Sendable {
        /// An event of the log; the envelope is exactly what a client gets.
        case event = 1
        /// A piece of a model's answer while it is written: live only, without a place in the log.
        case token = 2
        /// The log was replaced (a restore); forget what you have and read it again.
        case reset = 3
    }

    package let kind: Kind
    /// The event's number from 1; for tokens and resets the newest event's.
    package let seq: Int64
    package let epoch: Int64
    /// 32 bytes; zero for tokens.
    package let hash: [UInt8]
    /// 32 bytes; zero for tokens.
    package let prevHash: [UInt8]
    /// One JSON object.
    package let envelope: [UInt8]

    package init(kind: Kind, seq: Int64, epoch: Int64, hash: [UInt8], prevHash: [UInt8], envelope: [UInt8]) {
        precondition(hash.count == 32 && prevHash.count == 32, "a hash has 32 bytes")
        self.kind = kind
        self.seq = seq
        self.epoch = epoch
        self.hash = hash
        self.prevHash = prevHash
        self.envelope = envelope
    }

    /// An entry that is not of the log.
    package init(live kind: Kind, seq: Int64, epoch: Int64, envelope: [UInt8]) {
        let zero = [UInt8](repeating: 0, count: 32)
        self.init(kind: kind, seq: seq, epoch: epoch, hash: zero, prevHash: zero, envelope: envelope)
    }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerLength + envelope.count)
        bytes.append(Self.version)
        bytes.append(kind.rawValue)
        append(seq, to: &bytes)
        append(epoch, to: &bytes)
        bytes += hash
        bytes += prevHash
        bytes += envelope
        return bytes
    }

    /// Reads an entry; the envelope is not looked into.
    package init(decoding bytes: [UInt8]) throws(ContractError) {
        guard bytes.count > Self.headerLength else { throw ContractError(.malformed, "entry of \(bytes.count) bytes") }
        guard bytes[0] == Self.version else { throw ContractError(.unknownVersion, "entry version \(bytes[0])") }
        guard let kind = Kind(rawValue: bytes[1]) else { throw ContractError(.malformed, "entry kind \(bytes[1])") }
        let (seq, epoch) = (Self.number(bytes[2..<10]), Self.number(bytes[10..<18]))
        guard seq >= 0, epoch >= 0 else { throw ContractError(.malformed, "entry numbers beyond 2^63") }
        self.init(
            kind: kind, seq: seq, epoch: epoch, hash: Array(bytes[18..<50]), prevHash: Array(bytes[50..<82]),
            envelope: Array(bytes[82...]))
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int64 {
        Int64(bitPattern: bytes.reduce(0) { $0 << 8 | UInt64($1) })
    }

    private func append(_ number: Int64, to bytes: inout [UInt8]) {
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }
}
