import Testing

@testable import PostgresClient

@Suite("An error of connecting")
struct ConnectErrorTests {
    static let texts: [(text: String, state: String?, message: String)] = [
        (
            "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  28P01: password authentication failed",
            "28P01", "connection to server at \"127.0.0.1\", port 5432 failed: FATAL: password authentication failed"
        ),
        ("FATAL:  3D000: database \"a: b\" does not exist", "3D000", "FATAL: database \"a: b\" does not exist"),
        (
            "connection to server at \"2001:db8:0:12345::1\", port 1 failed: Connection refused", nil,
            "connection to server at \"2001:db8:0:12345::1\", port 1 failed: Connection refused"
        ),
        ("FATAL:  ABCDE: no digit, no state", nil, "FATAL:  ABCDE: no digit, no state"),
        ("no connection within 2.5 seconds", nil, "no connection within 2.5 seconds"),
    ]

    @Test("takes the SQLSTATE out of libpq's text, where there is one", arguments: texts)
    func state(text: String, state: String?, message: String) {
        let error = PGError(connecting: text)
        #expect(error.code == .unavailable && error.isRetryable)
        #expect(error.sqlState?.rawValue == state)
        #expect(error.message == message)
    }
}
