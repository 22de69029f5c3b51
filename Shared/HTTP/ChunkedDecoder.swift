/// Decodes a chunked body (RFC 9112 §7.1) strictly, however it is cut into pieces.
///
/// Extensions and trailers are checked and dropped.
struct ChunkedDecoder {
    private enum Phase { case size, `extension`, sizeLF, data, dataCR, dataLF, trailer, trailerLF, done }

    private let limits: HTTPLimits
    private let bodyLimit: Int
    private var phase = Phase.size
    private var size = 0
    private var digits = 0
    private var remaining = 0
    private var total = 0
    private var extensionBytes = 0
    private var trailer: [UInt8] = []
    private var trailerBytes = 0

    /// Decoded bodies of more than `bodyLimit` bytes are refused with 413.
    init(limits: HTTPLimits, bodyLimit: Int) {
        self.limits = limits
        self.bodyLimit = bodyLimit
    }

    /// Whether the last chunk and the trailer section have been read.
    var isFinished: Bool { phase == .done }

    /// Appends decoded bytes to `body`; returns how many bytes of `input` were taken (all, unless the body ended).
    ///
    /// - Throws: 400, 413 or 431.
    mutating func decode(_ input: Span<UInt8>, into body: inout [UInt8]) throws(HTTPError) -> Int {
        var index = 0
        while index < input.count, phase != .done {
            if phase == .data {
                let count = min(remaining, input.count - index)
                input.extracting(index..<index + count).withUnsafeBufferPointer { body.append(contentsOf: $0) }
                index += count
                remaining -= count
                if remaining == 0 { phase = .dataCR }
            } else {
                try step(input[index])
                index += 1
            }
        }
        return index
    }

    private mutating func step(_ byte: UInt8) throws(HTTPError) {
        switch phase {
        case .size: try takeSize(byte)
        case .extension: try takeExtension(byte)
        case .sizeLF:
            guard byte == ByteClass.lf else { throw .malformed("A chunk size line ends badly.") }
            try beginChunk()
        case .dataCR:
            guard byte == ByteClass.cr else { throw .malformed("Chunk data is not followed by CR LF.") }
            phase = .dataLF
        case .dataLF:
            guard byte == ByteClass.lf else { throw .malformed("Chunk data is not followed by CR LF.") }
            phase = .size
        case .trailer: try takeTrailer(byte)
        case .trailerLF:
            guard byte == ByteClass.lf else { throw .malformed("A trailer line ends badly.") }
            try endTrailerLine()
        case .data, .done: break
        }
    }

    private mutating func takeSize(_ byte: UInt8) throws(HTTPError) {
        if let digit = ByteClass.hexValue(byte) {
            digits += 1
            // Sixteen digits would overflow; leading zeros do not need that many.
            guard digits <= 15 else { throw .malformed("A chunk size is too long.") }
            size = size * 16 + digit
            return
        }
        guard digits > 0 else { throw .malformed("A chunk size is missing.") }
        switch byte {
        case ByteClass.cr: phase = .sizeLF
        case UInt8(ascii: ";"): phase = .extension
        default: throw .malformed("A chunk size is not hexadecimal.")
        }
    }

    private mutating func takeExtension(_ byte: UInt8) throws(HTTPError) {
        if byte == ByteClass.cr {
            phase = .sizeLF
            return
        }
        extensionBytes += 1
        guard extensionBytes <= limits.chunkExtensionBytes else { throw .malformed("Chunk extensions are too long.") }
        guard ByteClass.isFieldValue(byte) else { throw .malformed("A chunk extension holds a control character.") }
    }

    private mutating func beginChunk() throws(HTTPError) {
        guard size <= bodyLimit - total else { throw .bodyTooLarge }
        total += size
        remaining = size
        phase = size == 0 ? .trailer : .data
        (size, digits) = (0, 0)
    }

    private mutating func takeTrailer(_ byte: UInt8) throws(HTTPError) {
        if byte == ByteClass.cr {
            phase = .trailerLF
            return
        }
        trailerBytes += 1
        guard trailerBytes <= limits.trailerBytes else { throw .headTooLarge }
        guard ByteClass.isFieldValue(byte) else { throw .malformed("A trailer holds a control character.") }
        trailer.append(byte)
    }

    /// A trailer must be a field, and not one that frames or routes the message (RFC 9110 §6.5.1).
    private mutating func endTrailerLine() throws(HTTPError) {
        guard !trailer.isEmpty else {
            phase = .done
            return
        }
        let name = trailer.prefix { $0 != ByteClass.colon }
        guard name.count < trailer.count, ByteClass.isToken(name) else { throw .malformed("A trailer is not a field.") }
        let forbidden = ["content-length", "transfer-encoding", "host", "connection", "expect"]
        let lowered = String(decoding: name.map(ByteClass.lowercased), as: UTF8.self)
        guard !forbidden.contains(lowered) else { throw .malformed("A trailer may not frame the message.") }
        trailer.removeAll(keepingCapacity: true)
        phase = .trailer
    }
}
