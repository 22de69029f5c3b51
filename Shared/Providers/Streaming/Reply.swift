import Contracts
import Domain
import HTTPClient
import Sockets

/// A reply in the making: bytes in, text out.
struct Reply {
    /// Bytes kept of a body that has no event in it: where an error in plain JSON hides behind a status of 200.
    static let maxPlainBytes = 16 * 1024

    var reader: any ReplyReader
    let promptBytes: Int
    var clock: TokenClock
    private(set) var sanitizer = AnswerSanitizer()
    private(set) var hasBytes = false
    private var events = ServerSentEventParser()
    private var plain: [UInt8] = []
    private var hasEvents = false

    init(reader: any ReplyReader, promptBytes: Int, clock: TokenClock) {
        self.reader = reader
        self.promptBytes = promptBytes
        self.clock = clock
    }

    /// Takes bytes of the body and hands the text in them to `tokens`.
    mutating func take(_ bytes: [UInt8], tokens: TokenSink) throws(CallFailure) {
        hasBytes = true
        if !hasEvents { plain.append(contentsOf: bytes.prefix(max(0, Self.maxPlainBytes - plain.count))) }
        var found: [ServerSentEvent] = []
        do {
            try events.feed(bytes, into: &found)
        } catch {
            throw CallFailure(.malformedReply, "a line or event of the stream is too large")
        }
        for event in found where !reader.isComplete {
            hasEvents = true
            let before = reader.deltas
            let text = try reader.read(event)
            if reader.deltas > before { clock.tokenArrived() }
            let accepted = sanitizer.append(text)
            if !accepted.isEmpty { tokens(accepted) }
        }
    }

    /// The error that the whole body is, when it is one.
    var errorOutsideEvents: ErrorReport? {
        guard !hasEvents, !plain.isEmpty, let json = try? JSONParser.parse(plain) else { return nil }
        return ErrorReport(json: json)
    }
}

/// How long the next token may take: a peer that sends anything but tokens does not stop this clock.
struct TokenClock {
    private let started = MonotonicTime.now()
    private let firstToken: Duration
    private let idle: Duration
    private var lastToken: Int64?

    init(_ deadlines: CallDeadlines) {
        firstToken = deadlines.firstToken
        idle = deadlines.idle
    }

    var hasToken: Bool { lastToken != nil }
    mutating func tokenArrived() { lastToken = MonotonicTime.now() }

    /// Zero when the time is up.
    var left: Duration {
        let passed = Duration.nanoseconds(MonotonicTime.now() - (lastToken ?? started))
        return max(.zero, (hasToken ? idle : firstToken) - passed)
    }
}
