import Testing

@testable import Compression

@Suite("A compressed message")
struct MessageCompressionTests {
    /// The text of `pieces`, read with a limit for all of it.
    static func inflate(_ pieces: [[UInt8]], limit: Int = 1_000_000) throws -> [UInt8] {
        let inflater = try MessageInflater()
        var text: [UInt8] = []
        for piece in pieces { text += try inflater.decode(piece, limit: limit - text.count) }
        return text + (try inflater.finish(limit: limit - text.count))
    }

    /// Every byte apart, as the slowest of networks brings it.
    static func scattered(_ bytes: [UInt8]) -> [[UInt8]] { bytes.map { [$0] } }

    @Test(
        "reads as RFC 7692 §7.2.3 says, whole and byte by byte",
        arguments: [
            [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00],  // one block
            [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00],  // a block without compression
            [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00],  // a block that calls itself the last
            [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00],  // two blocks
        ] as [[UInt8]])
    func examples(bytes: [UInt8]) throws {
        #expect(try Self.inflate([bytes]) == Array("Hello".utf8))
        #expect(try Self.inflate(Self.scattered(bytes)) == Array("Hello".utf8))
    }

    @Test("comes back as it was, with every window", arguments: MessageDeflater.windowBits)
    func roundTrip(windowBits: Int) throws {
        let deflater = try MessageDeflater(windowBits: windowBits)
        for count in [300, 4_096, 70_000] {
            let message = Array("{\"type\":\"agent_message\",\"seq\":7} ".utf8)
            let whole = (0..<count).map { message[$0 % message.count] }
            let bytes = try #require(deflater.compress(whole))
            #expect(bytes.count < count / 4)
            #expect(try Self.inflate([bytes]) == whole)
            #expect(try Self.inflate(Self.scattered(bytes)) == whole)
        }
    }

    @Test("does not depend on the messages before it")
    func ownContext() throws {
        let deflater = try MessageDeflater(windowBits: 15)
        let message = Array(String(repeating: "the same words again ", count: 40).utf8)
        let first = try #require(deflater.compress(message))
        #expect(deflater.compress(message) == first)
    }

    @Test("is not made of what would not get shorter")
    func incompressible() throws {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        let noise = (0..<4_096).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        #expect(try MessageDeflater(windowBits: 15).compress(noise) == nil)
    }

    @Test("that unpacks to more than its limit is refused before it is unpacked")
    func bomb() throws {
        let zeros = [UInt8](repeating: 0, count: 8 * 1024 * 1024)
        let bytes = try #require(try MessageDeflater(windowBits: 15).compress(zeros))
        #expect(bytes.count < 16 * 1024)
        #expect { try Self.inflate([bytes], limit: 64 * 1024) } throws: { ($0 as? CompressionError)?.code == .tooLong }
        #expect(try Self.inflate([bytes], limit: zeros.count).count == zeros.count)
    }

    @Test(
        "that is no deflate is refused",
        arguments: [[0x07], [0xFF, 0xFF, 0xFF], [0x00, 0x05, 0x00, 0x00, 0x00]] as [[UInt8]])
    func damaged(bytes: [UInt8]) throws {
        #expect { try Self.inflate([bytes]) } throws: { ($0 as? CompressionError)?.code == .damaged }
    }
}
