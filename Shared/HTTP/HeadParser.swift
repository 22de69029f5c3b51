import Glibc

/// Reads one request head (RFC 9112 §2–§3, §5) strictly: what could be read two ways is refused, never repaired.
///
/// Feed it all bytes since the end of the request before, each time with more behind; it goes on where it stopped, so
/// a head that trickles in costs one pass. After an error the connection is of no further use.
struct HeadParser {
    /// What the lines so far said.
    struct Parts {
        var method = Method.get
        var versionMinor = 1
        var target = Span16(0, 0)
        var path = Span16(0, 0)
        var query: Span16?
        var authority: Span16?
        var host: Span16?
        var fields: [HeadField] = []
        var contentLength: Int?
        var isChunked = false
        var expectsContinue = false
        var saysClose = false
        var saysKeepAlive = false
        var saysUpgrade = false
    }

    private let limits: HTTPLimits
    private var parts = Parts()
    private var start = 0
    private var lineStart = 0
    private var scanned = 0
    private var hasRequestLine = false

    init(limits: HTTPLimits) { self.limits = limits }

    /// What browsers send, so that the list grows seldom.
    private static let usualFieldCount = 16

    /// Whether a byte of this head has been seen.
    var hasBegun: Bool { scanned > 0 }

    /// The head and how many bytes of `input` it took, or nil when more bytes are needed.
    ///
    /// - Throws: 400, 414, 417, 431, 501 or 505; the same error however the bytes are cut into pieces.
    mutating func parse(_ input: Span<UInt8>) throws(HTTPError) -> (head: RequestHead, consumed: Int)? {
        try checkFirstByte(input)
        while let lineFeed = Self.lineFeed(in: input, from: scanned) {
            scanned = lineFeed + 1
            try checkSize(scanned)
            guard lineFeed > lineStart, input[lineFeed - 1] == ByteClass.cr else {
                throw .malformed("A line ends without CR.")
            }
            if lineFeed - 1 == lineStart {
                if hasRequestLine { return try finish(input, end: scanned) }
                try skipEmptyLine(input)
                continue
            }
            try takeLine(input, end: lineFeed - 1)
            lineStart = scanned
        }
        scanned = input.count
        try checkSize(scanned)
        return nil
    }

    /// RFC 9112 §2.2: one empty line before the request line is ignored.
    private mutating func skipEmptyLine(_ input: Span<UInt8>) throws(HTTPError) {
        guard start == 0 else { throw .malformed("There is no request line.") }
        start = scanned
        lineStart = scanned
        try checkFirstByte(input)
    }

    /// Refuses at once what can not become HTTP, such as a TLS hello, instead of waiting for a line end.
    private func checkFirstByte(_ input: Span<UInt8>) throws(HTTPError) {
        guard !hasRequestLine, input.count > start else { return }
        let first = input[start]
        guard ByteClass.isToken(first) || (start == 0 && first == ByteClass.cr) else {
            throw .malformed("A request begins with a method.")
        }
    }

    private func checkSize(_ end: Int) throws(HTTPError) {
        if !hasRequestLine, end - start > limits.targetBytes + HTTPLimits.requestLineOverheadBytes {
            throw .uriTooLong
        }
        guard end <= limits.headBytes else { throw .headTooLarge }
    }

    private mutating func takeLine(_ input: Span<UInt8>, end: Int) throws(HTTPError) {
        if hasRequestLine { return try takeField(input, end: end) }
        try takeRequestLine(input, end: end)
        hasRequestLine = true
        parts.fields.reserveCapacity(Self.usualFieldCount)
    }

    private static func lineFeed(in input: Span<UInt8>, from position: Int) -> Int? {
        input.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress, position < buffer.count else { return nil }
            guard let found = memchr(base + position, Int32(ByteClass.lf), buffer.count - position) else { return nil }
            return UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
    }

    private func finish(_ input: Span<UInt8>, end: Int) throws(HTTPError) -> (head: RequestHead, consumed: Int) {
        try checkHost(input)
        let framing = try bodyFraming()
        var bytes = [UInt8](unsafeUninitializedCapacity: end - start) { buffer, count in
            input.withUnsafeBytes { source in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: .init(rebasing: source[start..<end]))
            }
            count = end - start
        }
        for field in parts.fields {
            for index in field.name.range { bytes[index] = ByteClass.lowercased(bytes[index]) }
        }
        return (RequestHead(parts: parts, bytes: bytes, framing: framing), end)
    }

    /// RFC 9112 §3.2: HTTP/1.1 has exactly one Host. In absolute form it must agree with the target.
    private func checkHost(_ input: Span<UInt8>) throws(HTTPError) {
        guard let host = parts.host else {
            guard parts.versionMinor == 0 else { throw .malformed("There is no Host field.") }
            return
        }
        guard let authority = parts.authority else { return }
        guard authority.count == host.count else { throw .malformed("Host and target differ.") }
        for offset in 0..<host.count {
            let (one, two) = (input[start + host.start + offset], input[start + authority.start + offset])
            guard ByteClass.lowercased(one) == ByteClass.lowercased(two) else {
                throw .malformed("Host and target differ.")
            }
        }
    }

    /// RFC 9112 §6.1, §6.3: both delimiters in one request is the smuggling case.
    private func bodyFraming() throws(HTTPError) -> BodyFraming {
        guard parts.isChunked else {
            let length = parts.contentLength ?? 0
            return length == 0 ? .none : .length(length)
        }
        guard parts.contentLength == nil else { throw .malformed("Both Content-Length and Transfer-Encoding.") }
        guard parts.versionMinor > 0 else { throw .malformed("HTTP/1.0 has no Transfer-Encoding.") }
        return .chunked
    }
}

extension HeadParser {
    /// RFC 9112 §3: method SP request-target SP HTTP-version, with exactly one space between.
    private mutating func takeRequestLine(_ input: Span<UInt8>, end: Int) throws(HTTPError) {
        var index = start
        while index < end, ByteClass.isToken(input[index]) { index += 1 }
        guard index > start, index - start <= HTTPLimits.methodBytes, index < end, input[index] == ByteClass.space
        else {
            throw .malformed("The method is not a token.")
        }
        parts.method = Method(input, start, index)
        let target = index + 1
        index = target
        while index < end, input[index] != ByteClass.space {
            guard ByteClass.isTarget(input[index]) else { throw .malformed("The target holds a forbidden character.") }
            index += 1
        }
        guard index > target, index < end else { throw .malformed("The request line has not three parts.") }
        guard index - target <= limits.targetBytes else { throw .uriTooLong }
        try takeVersion(input, index + 1, end)
        parts.target = Span16(target - start, index - start)
        try takeTarget(input, target, index)
    }

    private mutating func takeVersion(_ input: Span<UInt8>, _ begin: Int, _ end: Int) throws(HTTPError) {
        guard end - begin == 8, Self.equals(input, begin, "HTTP/"), ByteClass.isDigit(input[begin + 5]),
            input[begin + 6] == UInt8(ascii: "."), ByteClass.isDigit(input[begin + 7])
        else { throw .malformed("The version is not HTTP/x.y.") }
        guard input[begin + 5] == UInt8(ascii: "1") else { throw .versionNotSupported }
        // RFC 9110 §2.5: a higher minor version is answered as the highest one we know.
        parts.versionMinor = input[begin + 7] == UInt8(ascii: "0") ? 0 : 1
    }

    /// RFC 9112 §3.2: origin form, absolute form, or `*` for OPTIONS.
    private mutating func takeTarget(_ input: Span<UInt8>, _ begin: Int, _ end: Int) throws(HTTPError) {
        var path = begin
        if input[begin] == UInt8(ascii: "*"), end - begin == 1, parts.method == .options {
            parts.path = Span16(begin - start, end - start)
            return
        }
        if input[begin] != UInt8(ascii: "/") {
            path = try takeAuthority(input, begin, end)
        }
        var index = path
        var query: Int?
        while index < end {
            let byte = input[index]
            if byte == UInt8(ascii: "%") {
                guard index + 2 < end, ByteClass.hexValue(input[index + 1]) != nil,
                    ByteClass.hexValue(input[index + 2]) != nil
                else { throw .malformed("The target holds a bad escape.") }
                index += 2
            } else if byte == UInt8(ascii: "?"), query == nil {
                query = index
            }
            index += 1
        }
        parts.path = Span16(path - start, (query ?? end) - start)
        parts.query = query.map { Span16($0 + 1 - start, end - start) }
    }

    /// The authority of an absolute form; returns where its path begins.
    private mutating func takeAuthority(_ input: Span<UInt8>, _ begin: Int, _ end: Int) throws(HTTPError) -> Int {
        let authority: Int
        if end - begin > 7, Self.equalsCaseless(input, begin, "http://") {
            authority = begin + 7
        } else if end - begin > 8, Self.equalsCaseless(input, begin, "https://") {
            authority = begin + 8
        } else {
            throw .malformed("The target is neither a path nor an http URL.")
        }
        var index = authority
        while index < end, input[index] != UInt8(ascii: "/"), input[index] != UInt8(ascii: "?") { index += 1 }
        guard HostSyntax.isValid(input, authority, index) else { throw .malformed("The target's authority is bad.") }
        parts.authority = Span16(authority - start, index - start)
        return index
    }

    /// RFC 9112 §5: field-name ":" OWS field-value OWS; no folding (§5.2), no blank before the colon (§5.1).
    private mutating func takeField(_ input: Span<UInt8>, end: Int) throws(HTTPError) {
        guard parts.fields.count < limits.headerCount else { throw .headTooLarge }
        var colon = lineStart
        while colon < end, ByteClass.isToken(input[colon]) { colon += 1 }
        guard colon > lineStart, colon < end, input[colon] == ByteClass.colon else {
            throw .malformed("A header field's name is not a token followed by a colon.")
        }
        var (first, last) = (colon + 1, end)
        while first < last, Self.isBlank(input[first]) { first += 1 }
        while last > first, Self.isBlank(input[last - 1]) { last -= 1 }
        for index in first..<last where !ByteClass.isFieldValue(input[index]) {
            throw .malformed("A header field's value holds a control character.")
        }
        let field = HeadField(
            name: Span16(lineStart - start, colon - start), value: Span16(first - start, last - start))
        parts.fields.append(field)
        try interpret(input, name: lineStart, count: colon - lineStart, first, last)
    }

    private mutating func interpret(
        _ input: Span<UInt8>, name: Int, count: Int, _ first: Int, _ last: Int
    ) throws(HTTPError) {
        switch count {
        case 4 where Self.equalsCaseless(input, name, "host"):
            guard parts.host == nil else { throw .malformed("There is more than one Host field.") }
            guard HostSyntax.isValid(input, first, last) else { throw .malformed("The Host field is bad.") }
            parts.host = Span16(first - start, last - start)
        case 6 where Self.equalsCaseless(input, name, "expect"):
            guard last - first == 12, Self.equalsCaseless(input, first, "100-continue") else {
                throw .expectationFailed
            }
            parts.expectsContinue = true
        case 10 where Self.equalsCaseless(input, name, "connection"):
            takeConnection(input, first, last)
        case 14 where Self.equalsCaseless(input, name, "content-length"):
            try takeContentLength(input, first, last)
        case 17 where Self.equalsCaseless(input, name, "transfer-encoding"):
            try takeTransferEncoding(input, first, last)
        default:
            break
        }
    }

    /// RFC 9110 §8.6: digits only. A second field is refused even when it agrees.
    private mutating func takeContentLength(_ input: Span<UInt8>, _ first: Int, _ last: Int) throws(HTTPError) {
        guard parts.contentLength == nil else { throw .malformed("There is more than one Content-Length.") }
        guard last > first, last - first <= 18 else { throw .malformed("The Content-Length is bad.") }
        var length = 0
        for index in first..<last {
            guard ByteClass.isDigit(input[index]) else { throw .malformed("The Content-Length is bad.") }
            length = length * 10 + Int(input[index] - 48)
        }
        parts.contentLength = length
    }

    /// RFC 9112 §6.1: we understand `chunked` alone. Another coding is 501; chunked twice or not last is smuggling.
    private mutating func takeTransferEncoding(_ input: Span<UInt8>, _ first: Int, _ last: Int) throws(HTTPError) {
        guard !parts.isChunked else { throw .malformed("There is more than one Transfer-Encoding.") }
        if last - first == 7, Self.equalsCaseless(input, first, "chunked") {
            parts.isChunked = true
            return
        }
        var (codings, chunkedAt) = (0, [Int]())
        Self.forEachListItem(input, first, last) { begin, end in
            codings += 1
            if end - begin == 7, Self.equalsCaseless(input, begin, "chunked") { chunkedAt.append(codings) }
        }
        guard chunkedAt.isEmpty || chunkedAt == [codings] else { throw .malformed("Chunked is not the last coding.") }
        throw .unknownCoding
    }

    private mutating func takeConnection(_ input: Span<UInt8>, _ first: Int, _ last: Int) {
        var (close, keepAlive, upgrade) = (false, false, false)
        Self.forEachListItem(input, first, last) { begin, end in
            switch end - begin {
            case 5: close = close || Self.equalsCaseless(input, begin, "close")
            case 7: upgrade = upgrade || Self.equalsCaseless(input, begin, "upgrade")
            case 10: keepAlive = keepAlive || Self.equalsCaseless(input, begin, "keep-alive")
            default: break
            }
        }
        parts.saysClose = parts.saysClose || close
        parts.saysKeepAlive = parts.saysKeepAlive || keepAlive
        parts.saysUpgrade = parts.saysUpgrade || upgrade
    }

    @inline(__always) private static func isBlank(_ byte: UInt8) -> Bool {
        byte == ByteClass.space || byte == ByteClass.tab
    }

    /// Calls `body` with the bounds of each item of a comma-separated list, blanks removed.
    private static func forEachListItem(_ input: Span<UInt8>, _ first: Int, _ last: Int, _ body: (Int, Int) -> Void) {
        var begin = first
        while begin <= last {
            var comma = begin
            while comma < last, input[comma] != UInt8(ascii: ",") { comma += 1 }
            var (from, to) = (begin, comma)
            while from < to, isBlank(input[from]) { from += 1 }
            while to > from, isBlank(input[to - 1]) { to -= 1 }
            body(from, to)
            begin = comma + 1
        }
    }

    private static func equals(_ input: Span<UInt8>, _ begin: Int, _ text: StaticString) -> Bool {
        for index in 0..<text.utf8CodeUnitCount where input[begin + index] != text.utf8Start[index] { return false }
        return true
    }

    /// `text` is lower case; the caller has checked that `input` reaches that far.
    private static func equalsCaseless(_ input: Span<UInt8>, _ begin: Int, _ text: StaticString) -> Bool {
        for index in 0..<text.utf8CodeUnitCount
        where ByteClass.lowercased(input[begin + index]) != text.utf8Start[index] { return false }
        return true
    }
}

extension Method {
    /// The method whose name is `input[begin..<end]`, a token.
    fileprivate init(_ input: Span<UInt8>, _ begin: Int, _ end: Int) {
        if end - begin == 3, input[begin] == UInt8(ascii: "G"), input[begin + 1] == UInt8(ascii: "E"),
            input[begin + 2] == UInt8(ascii: "T")
        {
            self = .get
        } else {
            var name = ""
            for index in begin..<end { name.unicodeScalars.append(Unicode.Scalar(input[index])) }
            self.init(name)
        }
    }
}
