import Foundation
import TestSupport
import Testing

@testable import Crypto

@Suite("A certificate")
struct CertificateTests {
    /// For aragora.example, *.aragora.example and 127.0.0.1; made for this test.
    static let pem = """
        -----BEGIN CERTIFICATE-----
        MIIBwjCCAWigAwIBAgIUVSvEBe2RkXIt8l5wIstHBcfSszQwCgYIKoZIzj0EAwIw
        GjEYMBYGA1UEAwwPYXJhZ29yYS5leGFtcGxlMCAXDTI2MTEyMTEzMjAzOVoYDzIx
        MjYxMDI4MTMyMDM5WjAaMRgwFgYDVQQDDA9hcmFnb3JhLmV4YW1wbGUwWTATBgcq
        hkjOPQIBBggqhkjOPQMBBwNCAATXflhCd3ZMRw3kjGtWBbddLRJJ07tiAYfdfGtP
        2Qh/zcodl2ODwAkn+aYDXyb6nfGMRjbpL5Xw7BdOuxZ/ZMkno4GJMIGGMB0GA1Ud
        DgQWBBQHwh52HycsAf9VgJL1VEKuI7O7nzAfBgNVHSMEGDAWgBQHwh52HycsAf9V
        gJL1VEKuI7O7nzAPBgNVHRMBAf8EBTADAQH/MDMGA1UdEQQsMCqCD2FyYWdvcmEu
        ZXhhbXBsZYIRKi5hcmFnb3JhLmV4YW1wbGWHBH8AAAEwCgYIKoZIzj0EAwIDSAAw
        RQIhAIaf5NXLVW3Tg46iUVRTIFpeuaEDZQtV0kvIzBPU1mcAAiBId5L5+OdgR1/H
        CWrCWNNEnHXqj4kZR2lXxuVN64Ipiw==
        -----END CERTIFICATE-----
        """

    @Test("tells its validity, to the second")
    func validity() throws {
        let certificate = try Certificate(pem: Array(Self.pem.utf8))
        #expect(certificate.notBefore == 1_795_267_239)
        #expect(certificate.notAfter == 4_948_867_239)
    }

    @Test(
        "knows its names, addresses and wildcards",
        arguments: [
            ("aragora.example", true), ("ARAGORA.EXAMPLE", true), ("api.aragora.example", true), ("127.0.0.1", true),
            ("a.b.aragora.example", false), ("example", false), ("aragora.example.org", false), ("127.0.0.2", false),
            ("", false),
        ])
    func names(host: String, isOurs: Bool) throws {
        #expect(try Certificate(pem: Array(Self.pem.utf8)).names(host) == isOurs)
    }

    @Test(
        "knows its key, and no other",
        arguments: [["ec", "ec_paramgen_curve:P-256"], ["rsa", "rsa_keygen_bits:2048"]])
    func keys(kind: [String]) async throws {
        let (pem, key) = try await Self.make(kind)
        let (_, otherKey) = try await Self.make(kind)
        let certificate = try Certificate(pem: pem)
        #expect(try certificate.belongs(toKey: key))
        #expect(try !certificate.belongs(toKey: otherKey))
        #expect(certificate.names("made.example"))
    }

    @Test("a key with a passphrase is refused, and nobody is asked for it")
    func passphrase() async throws {
        let (pem, key) = try await Self.make(["rsa", "rsa_keygen_bits:2048"], protection: ["-passout", "pass:word"])
        #expect(throws: CryptoError.self) { try Certificate(pem: pem).belongs(toKey: key) }
    }

    /// A self-signed certificate and its key, in PEM form.
    private static func make(
        _ kind: [String], protection: [String] = ["-nodes"]
    ) async throws -> (certificate: [UInt8], key: [UInt8]) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "certificate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func path(_ name: String) -> String { folder.appending(path: name).path }
        let tool = try ServiceProcess(
            name: "openssl", binary: "/usr/bin/env",
            arguments: [
                "openssl", "req", "-x509", "-newkey", kind[0], "-pkeyopt", kind[1], "-days", "1", "-keyout",
                path("key"),
                "-out", path("certificate"), "-subj", "/CN=made.example",
            ] + protection, environment: [:], logPath: path("log"))
        #expect(try await tool.waitForEnd() == .exited(0))
        return (
            try Array(Data(contentsOf: folder.appending(path: "certificate"))),
            try Array(Data(contentsOf: folder.appending(path: "key")))
        )
    }

    @Test("what is no certificate or key is refused", arguments: ["", "no", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
    func refuses(text: String) throws {
        #expect(throws: CryptoError.self) { try Certificate(pem: Array(text.utf8)) }
        let certificate = try Certificate(pem: Array(Self.pem.utf8))
        #expect(throws: CryptoError.self) { try certificate.belongs(toKey: Array(text.utf8)) }
    }
}
