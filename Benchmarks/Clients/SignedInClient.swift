import Contracts
import HTTPClient
import Sockets

/// A user with an account who signed in: every request carries the access token.
struct SignedInClient: Sendable {
    private let http: HTTPClient
    private let port: UInt16
    let token: String

    /// Makes an account and signs in with it. The first of an installation is its administrator.
    static func register(_ email: String, port: UInt16, on loop: EventLoop) async throws -> SignedInClient {
        let anonymous = SignedInClient(token: "", port: port, on: loop)
        let answer = try await anonymous.send(
            "POST", "/api/auth/register", #"{"email":"\#(email)","password":"a password of the benchmark"}"#)
        await anonymous.close()
        guard let token = answer["tokens"]?["access_token"]?.string else {
            throw BenchFailure("\(email) registered and got no token")
        }
        return SignedInClient(token: token, port: port, on: loop)
    }

    init(token: String, port: UInt16, on loop: EventLoop) {
        (self.token, self.port) = (token, port)
        http = HTTPClient(loop: loop)
    }

    /// - Throws: ``BenchFailure`` when the answer is not 2xx.
    @discardableResult
    func send(_ method: String, _ path: String, _ body: String = "") async throws -> JSONValue {
        let reply = try await http.send(
            HTTPClientRequest(
                method: method, url: "http://127.0.0.1:\(port)\(path)",
                headers: token.isEmpty
                    ? ["Content-Type": "application/json"]
                    : ["Content-Type": "application/json", "Authorization": "Bearer \(token)"],
                body: Array(body.utf8)),
            deadlines: Deadlines(connect: .seconds(10), firstByte: .seconds(20), total: .seconds(20)))
        guard (200...299).contains(reply.status) else {
            let text = String(decoding: reply.body.prefix(300), as: UTF8.self)
            throw BenchFailure("\(method) \(path): \(reply.status) \(text)")
        }
        return (try? JSONParser.parse(reply.body)) ?? .null
    }

    func close() async { await http.close() }
}
