/// Collects the header lines of a response as libcurl hands them over, skipping interim (1xx) heads and trailers.
struct ResponseHeadParser {
    enum Step {
        case more
        case complete(HTTPClientHead)
        case tooLarge
        case invalid(String)
    }

    private let maxBytes: Int
    private var bytes = 0
    private var status: Int?
    private var headers = HTTPClientHeaders()
    /// The final head, once it is complete.
    private(set) var head: HTTPClientHead?

    init(maxBytes: Int) { self.maxBytes = maxBytes }

    /// Takes one line with its line end.
    mutating func take(_ raw: UnsafeRawBufferPointer) -> Step {
        guard head == nil else { return .more }  // a trailer
        bytes += raw.count
        guard bytes <= maxBytes else { return .tooLarge }
        var line = unsafe raw[...]
        while let last = unsafe line.last, last == 0x0D || last == 0x0A { unsafe line.removeLast() }
        return take(line: unsafe String(decoding: line, as: UTF8.self))
    }

    private mutating func take(line: String) -> Step {
        if line.isEmpty { return endOfHead() }
        guard status != nil else { return statusLine(line) }
        guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else { return .more }
        headers.append(String(line[..<colon]), Self.trimmed(line[line.index(after: colon)...]))
        return .more
    }

    private mutating func statusLine(_ line: String) -> Step {
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/"), let code = Int(parts[1]), (100...599).contains(code) else {
            return .invalid("no HTTP status line")
        }
        status = code
        return .more
    }

    private mutating func endOfHead() -> Step {
        guard let status else { return .more }
        defer {
            self.status = nil
            headers = HTTPClientHeaders()
        }
        guard status >= 200 else { return .more }
        let final = HTTPClientHead(status: status, headers: headers)
        head = final
        return .complete(final)
    }

    private static func trimmed(_ text: Substring) -> String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return String(text)
    }
}
