/// One event of a `text/event-stream`.
package struct ServerSentEvent: Sendable, Hashable {
    /// From the `event` field; `message` when there was none.
    package let name: String
    /// The `data` lines joined by a line feed. Bytes that are no UTF-8 become U+FFFD.
    package let data: String
}

/// Parses `text/event-stream` (WHATWG HTML §9.2) from bytes in any split. A pure value.
///
/// Lines end in LF, CR or CRLF; a leading byte order mark and comments are skipped; `id` and `retry` are ignored, as
/// nothing here reconnects. An event without its closing empty line is never delivered.
package struct ServerSentEventParser: Sendable {
    package struct Failure: Error, Sendable, Equatable {
        package enum Code: Sendable { case lineTooLong, eventTooLarge }
        package let code: Code
        package init(code: Code) { self.code = code }
    }

    /// Bytes of one line without its end, and of one event's data.
    package static let defaultMaxLineBytes = 256 * 1024
    package static let defaultMaxEventBytes = 1024 * 1024

    private let maxLineBytes: Int
    private let maxEventBytes: Int
    private var line: [UInt8] = []
    private var name = ""
    private var data: [UInt8] = []
    private var hasData = false
    private var lastWasCR = false
    private var isAtStart = true
    private var failure: Failure?

    package init(
        maxLineBytes: Int = ServerSentEventParser.defaultMaxLineBytes,
        maxEventBytes: Int = ServerSentEventParser.defaultMaxEventBytes
    ) {
        self.maxLineBytes = maxLineBytes
        self.maxEventBytes = maxEventBytes
    }

    /// Takes more bytes and adds the events that they complete to `events`, also those before a failure.
    ///
    /// - Throws: ``Failure`` when a limit is passed; every later call throws the same.
    package mutating func feed(_ bytes: some Sequence<UInt8>, into events: inout [ServerSentEvent]) throws(Failure) {
        // Of one type from here on: byte by byte through a generic sequence cost half of a model's call.
        try feed(slice: Array(bytes)[...], into: &events)
    }

    private mutating func feed(slice bytes: ArraySlice<UInt8>, into events: inout [ServerSentEvent]) throws(Failure) {
        if let failure { throw failure }
        var rest = bytes
        while let first = rest.first {
            if lastWasCR {
                lastWasCR = false
                if first == 0x0A {  // the second half of CRLF
                    rest = rest.dropFirst()
                    continue
                }
            }
            let end = rest.firstIndex { $0 == 0x0A || $0 == 0x0D } ?? rest.endIndex
            guard line.count + (end - rest.startIndex) <= maxLineBytes else { throw fail(.lineTooLong) }
            line.append(contentsOf: rest[..<end])
            guard end < rest.endIndex else { return }
            lastWasCR = rest[end] == 0x0D
            try endLine(into: &events)
            rest = rest[(end + 1)...]
        }
    }

    /// The events that `bytes` complete.
    package mutating func feed(_ bytes: some Sequence<UInt8>) throws(Failure) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        try feed(bytes, into: &events)
        return events
    }

    private mutating func fail(_ code: Failure.Code) -> Failure {
        let failure = Failure(code: code)
        self.failure = failure
        return failure
    }

    private mutating func endLine(into events: inout [ServerSentEvent]) throws(Failure) {
        defer { line.removeAll(keepingCapacity: true) }
        if isAtStart {
            isAtStart = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        }
        guard !line.isEmpty else { return endEvent(into: &events) }
        let colon = line.firstIndex(of: UInt8(ascii: ":"))
        guard colon != 0 else { return }  // a comment
        var value = colon.map { line[($0 + 1)...] } ?? []
        if value.first == 0x20 { value = value.dropFirst() }
        switch line[..<(colon ?? line.count)] {
        case let field where field.elementsEqual("data".utf8): try appendData(value)
        case let field where field.elementsEqual("event".utf8): name = String(decoding: value, as: UTF8.self)
        default: break
        }
    }

    private mutating func appendData(_ value: ArraySlice<UInt8>) throws(Failure) {
        guard data.count + value.count + 1 <= maxEventBytes else { throw fail(.eventTooLarge) }
        if hasData { data.append(0x0A) }
        data.append(contentsOf: value)
        hasData = true
    }

    private mutating func endEvent(into events: inout [ServerSentEvent]) {
        defer {
            name = ""
            data.removeAll(keepingCapacity: true)
            hasData = false
        }
        guard hasData else { return }
        events.append(
            ServerSentEvent(name: name.isEmpty ? "message" : name, data: String(decoding: data, as: UTF8.self)))
    }
}
