import Glibc
import HTTP
import Platform
import Sockets

/// `aragora-ws-echo PORT`: sends back every message, through the WebSocket code that the gateway serves with, so that a
/// conformance suite can judge it (scripts/check-websocket.sh).
@main
enum Main {
    /// The suite's largest messages have 16 MiB.
    static let messageBytes = 32 << 20

    static func main() async {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count == 1, let port = arguments.first.flatMap({ UInt16($0) }) else {
            leave(64, "usage: aragora-ws-echo PORT   (listens on 127.0.0.1; 0 chooses a free port)")
        }
        do {
            try await serve(port)
        } catch {
            leave(69, "aragora-ws-echo: \(error)")
        }
    }

    private static func serve(_ port: UInt16) async throws {
        guard let address = SocketAddress(ip: "127.0.0.1", port: port) else { return }
        let loop = try EventLoop(name: "echo")
        let server = HTTPServer(configuration: HTTPServerConfiguration(address: address), loops: [loop]) { _ in router()
        }
        let bound = try await server.start()
        Log.writeToStandardError(Array("aragora-ws-echo: listening on \(bound)\n".utf8))
        while true { try await loop.sleep(for: .seconds(3600)) }
    }

    private static func leave(_ code: Int32, _ reason: String) -> Never {
        Log.writeToStandardError(Array("\(reason)\n".utf8))
        exit(code)
    }

    private static func router() -> Router {
        var settings = WebSocketSettings()
        settings.messageBytes = messageBytes
        settings.outboxBytes = 2 * messageBytes
        settings.compresses = true
        var router = Router()
        router.on(.get, "/") { [settings] request, _ in
            .webSocket(WebSocketUpgrade(try Handshake(request.head), settings: settings) { Echo($0) })
        }
        return router
    }
}

/// Says what it hears.
private final class Echo: WebSocketDelegate {
    private let session: WebSocketSession

    init(_ session: WebSocketSession) { self.session = session }

    func webSocketReceived(_ message: WebSocketMessage) {
        switch message {
        case .text(let text): _ = session.enqueue(.text(text))
        case .binary(let bytes): _ = session.enqueue(.binary(bytes))
        default: break
        }
    }

    func webSocketClosed(_ code: CloseCode, reason: String) {}
}
