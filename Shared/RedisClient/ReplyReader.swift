import CHiredis

/// Cuts a stream of bytes into replies: hiredis's reader, with limits it does not have.
///
/// One per connection, used by one thread at a time. After an error it is of no more use.
@safe package struct ReplyReader: ~Copyable {
    /// Bytes of one reply, headers included, from which no more are read.
    package static let maxReplyBytes = 64 * 1024 * 1024
    /// Elements of one array; hiredis itself allows a nesting of 7.
    package static let maxElements = 1024 * 1024

    private let reader: UnsafeMutablePointer<redisReader>
    private let maxReplyBytes: Int
    /// Bytes fed since the last whole reply.
    private var unfinishedBytes = 0

    /// - Throws: ``RedisError`` `.overloaded` when there is no memory.
    package init(maxReplyBytes: Int = ReplyReader.maxReplyBytes) throws(RedisError) {
        guard let reader = unsafe chiredis_reader_create(Int32(Self.maxElements)) else {
            throw RedisError(.overloaded, "no memory for a reply reader")
        }
        unsafe self.reader = reader
        self.maxReplyBytes = maxReplyBytes
    }

    deinit { unsafe chiredis_reader_free(reader) }

    /// Takes bytes as they came from the peer.
    package mutating func feed(_ bytes: ArraySlice<UInt8>) throws(RedisError) {
        guard unfinishedBytes < maxReplyBytes else {
            throw RedisError(.protocolViolation, "a reply of more than \(maxReplyBytes) bytes")
        }
        unfinishedBytes += bytes.count
        let status = unsafe bytes.withUnsafeBytes { raw in
            unsafe redisReaderFeed(reader, raw.baseAddress?.assumingMemoryBound(to: CChar.self), raw.count)
        }
        guard status == REDIS_OK else { throw failure() }
    }

    /// The next whole reply; nil when more bytes are needed.
    package mutating func next() throws(RedisError) -> RedisReply? {
        var object: UnsafeMutableRawPointer?
        guard unsafe redisReaderGetReply(reader, &object) == REDIS_OK else { throw failure() }
        guard let object = unsafe object else { return nil }
        defer { unsafe freeReplyObject(object) }
        unfinishedBytes = unsafe Int(reader.pointee.len) - Int(reader.pointee.pos)
        return unsafe Self.value(of: object.assumingMemoryBound(to: redisReply.self))
    }

    private func failure() -> RedisError {
        RedisError(.protocolViolation, unsafe String(cString: chiredis_reader_error(reader)))
    }

    private static func value(of pointer: UnsafeMutablePointer<redisReply>) -> RedisReply {
        let reply = unsafe pointer.pointee
        switch unsafe reply.type {
        case REDIS_REPLY_STRING: return unsafe .string(bytes(of: reply))
        case REDIS_REPLY_STATUS: return unsafe .status(String(decoding: bytes(of: reply), as: UTF8.self))
        case REDIS_REPLY_ERROR: return unsafe .error(String(decoding: bytes(of: reply), as: UTF8.self))
        case REDIS_REPLY_INTEGER: return unsafe .integer(Int64(reply.integer))
        case REDIS_REPLY_ARRAY: return unsafe .array((0..<reply.elements).map { unsafe value(of: reply.element[$0]!) })
        default: return .null
        }
    }

    private static func bytes(of reply: redisReply) -> [UInt8] {
        guard let start = unsafe reply.str else { return [] }
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: reply.len))
    }
}
