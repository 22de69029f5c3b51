import Compression
import Platform
import Testing

@testable import HTTP

@Suite("permessage-deflate")
struct MessageCompressionTests {
    static let ours = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

    @Test(
        "takes the first offer that can be met",
        arguments: [
            (["permessage-deflate"], ours),
            (["permessage-deflate; client_max_window_bits"], ours),
            (["Permessage-Deflate;client_max_window_bits=\"10\" ; server_no_context_takeover"], ours),
            (["permessage-deflate; server_max_window_bits=9"], "\(ours); server_max_window_bits=9"),
            (["x-webkit-deflate-frame, permessage-deflate"], ours),
            (["permessage-deflate; server_max_window_bits=8, permessage-deflate"], ours),
            (["x", "permessage-deflate; server_max_window_bits=15"], "\(ours); server_max_window_bits=15"),
        ] as [([String], String)])
    func agreed(offers: [String], answer: String) {
        #expect(MessageCompression.agree(offers)?.answer == answer)
    }

    @Test(
        "declines what is unknown, doubled or out of range",
        arguments: [
            "", "permessage-deflat", "permessage-deflate; x", "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=8", "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=09", "permessage-deflate; client_max_window_bits=7",
            "permessage-deflate; server_no_context_takeover=1", "permessage-deflate;",
            "permessage-deflate; client_max_window_bits; client_max_window_bits",
        ])
    func declined(offer: String) {
        #expect(MessageCompression.agree([offer]) == nil)
    }

    static func read(_ bytes: [UInt8], limit: Int = 1000, allowed: Bool = true) -> FrameTests.Outcome {
        var parser = FrameParser(role: .server, limitBytes: limit, allowsCompression: allowed)
        var assembler = MessageAssembler(limitBytes: limit)
        var messages: [WebSocketMessage] = []
        do throws(WebSocketError) {
            var offset = 0
            while let part = try parser.next(bytes.span, &offset) {
                if let message = try assembler.take(part) { messages.append(message) }
            }
        } catch {
            return .failed(messages, error.code.rawValue)
        }
        return .messages(messages)
    }

    static func frame(_ opcode: Opcode, _ payload: [UInt8], final: Bool = true, compressed: Bool = true) -> [UInt8] {
        FrameWriter.encode(opcode, payload, isFinal: final, isCompressed: compressed, maskKey: 0x0102_0304)
    }

    static let hello: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]

    @Test("reads compressed messages, whole, in fragments, and plain ones between them")
    func messages() {
        #expect(Self.read(Self.frame(.text, Self.hello)) == .messages([.text("Hello")]))
        let fragments =
            Self.frame(.text, Array(Self.hello[..<3]), final: false) + Self.frame(.ping, [1], compressed: false)
            + Self.frame(.continuation, Array(Self.hello[3...]), compressed: false)
            + Self.frame(.text, Array("plain".utf8), compressed: false)
        #expect(Self.read(fragments) == .messages([.ping([1]), .text("Hello"), .text("plain")]))
    }

    @Test("fails a connection that breaks its rules")
    func broken() throws {
        #expect(Self.read(Self.frame(.text, Self.hello), allowed: false) == .failed([], 1002))
        #expect(Self.read(Self.frame(.ping, [])) == .failed([], 1002))
        let continued = Self.frame(.text, [], final: false) + Self.frame(.continuation, Self.hello)
        #expect(Self.read(continued) == .failed([], 1002))
        #expect(Self.read(Self.frame(.binary, [0x07])) == .failed([], 1007))
        let notText = try #require(try MessageDeflater(windowBits: 15).compress([UInt8](repeating: 0xFF, count: 500)))
        #expect(Self.read(Self.frame(.text, notText)) == .failed([], 1007))
        #expect(Self.read(Self.frame(.binary, notText), limit: 499) == .failed([], 1009))
    }

    @Test("sends a long message compressed to those who agreed on it, and as it is to others", .timeLimit(.minutes(1)))
    func session() async throws {
        var settings = WebSocketSettings()
        settings.compresses = true
        let long = String(repeating: "the same words again ", count: 100)
        try await WebSocketTests.with(settings: settings) { fixture, _ in
            for agrees in [true, false] {
                let client = try await WebSocketClient.connect(
                    loop: fixture.loop, to: [fixture.address], host: "a", target: "/ws", compression: agrees)
                #expect(await client.extensions == (agrees ? Self.ours : nil))
                for text in ["short", long, "short again", long] {
                    try await client.send(text)
                    #expect(await client.receive() == .text("echo \(text)"))
                }
                await client.abort()
            }
        }
    }

    @Test("is made once of a frame for each window, and is shorter")
    func shared() throws {
        let frame = Frame.text(String(repeating: "the same words again ", count: 100))
        let agreed = try #require(MessageCompression.agree(["permessage-deflate"]))
        let asked = Lock(0)
        let made = frame.bytes(agreed) {
            asked.withLock { $0 += 1 }
            return try? MessageDeflater(windowBits: 15)
        }
        #expect(made.count * 10 < frame.bytes.count)
        #expect(made[0] == 0xC1)
        #expect(frame.bytes(agreed) { nil } == made)
        #expect(asked.withLock { $0 } == 1)
        let short = Frame.text("short")
        #expect(short.bytes(agreed) { nil } == short.bytes)
    }
}
