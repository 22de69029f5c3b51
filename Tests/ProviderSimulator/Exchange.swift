import Domain
import HTTP
import Sockets

/// One streamed answer, with what goes wrong in it.
struct Exchange: Sendable {
    /// Thrown to end a connection in the middle of a stream.
    struct Cut: Error {}

    let call: IncomingCall
    let format: any ReplyFormat
    let tokens: [String]
    let fault: Fault?
    let interval: Delay
    let loop: EventLoop

    /// - Returns: whether the answer was written to its end.
    func write(to writer: BodyWriter, random: SeededRandom) async throws -> Bool {
        var random = random
        if fault?.kind == .empty { return false }
        guard interval != .none || fault != nil else {
            // Nothing to wait for: as few writes as a fast provider would make.
            try await writer.write(format.start(call) + tokens.flatMap { format.token($0, call) })
            try await writer.write(format.end(call, tokens: tokens.count))
            return true
        }
        try await writer.write(format.start(call))
        for (index, token) in tokens.enumerated() {
            if let fault, index == min(fault.afterTokens, tokens.count - 1), try await strike(fault, writer) {
                return false
            }
            let wait = interval.draw(&random)
            if wait > .zero { try await loop.sleep(for: wait) }
            try await writer.write(format.token(token, call))
        }
        try await writer.write(format.end(call, tokens: tokens.count))
        return true
    }

    /// Never ends by itself; the client going away cancels it.
    func stall() async throws { try await loop.sleep(for: .seconds(3600)) }

    /// - Returns: whether the stream is over.
    private func strike(_ fault: Fault, _ writer: BodyWriter) async throws -> Bool {
        switch fault.kind {
        case .status, .empty: return false
        case .errorEvent:
            try await writer.write(format.errorEvent(type: fault.type, message: fault.message))
            return true
        case .badChunk:
            try await writer.write(Array("data: {\"broken\n\n".utf8))
            return false
        case .cut:
            // What was written leaves first: a server that dies has said so much.
            try await loop.sleep(for: .milliseconds(30))
            throw Cut()
        case .stall:
            try await stall()
            return true
        }
    }
}
