import Crypto
import Testing

@Suite("Digests")
struct DigestTests {
    @Test(
        "SHA-256 agrees with FIPS 180-4",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func sha256(text: String, hex: String) {
        #expect(Hex.encode(SHA256.hash(text)) == hex)
    }

    @Test("pieces hash as their concatenation", arguments: 0...12)
    func pieces(split: Int) {
        let bytes = Array("hello, world".utf8)
        var hash = SHA256()
        hash.update(Array(bytes[..<split]))
        hash.update(Array(bytes[split...]))
        let whole = SHA256.hash(bytes)
        #expect(hash.finish() == whole)
        #expect(SHA256.hash(Array(bytes[..<split]), Array(bytes[split...])) == whole)
    }

    @Test("SHA-1 answers the handshake of RFC 6455 §1.3")
    func handshake() {
        let key = "dGhlIHNhbXBsZSBub25jZQ==" + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        #expect(Base64.encode(SHA1.hash(Array(key.utf8))) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }
}
