import Foundation
import Hummingbird
import Logging
import NIOPosix

/// What the api answers to a probe, as one would write it with Hummingbird 2, on one thread; and files, from memory.
@main
struct HealthServer {
    struct Health: ResponseEncodable {
        let status: String
    }

    static func main() async throws {
        guard CommandLine.arguments.count >= 2, let port = Int(CommandLine.arguments[1]) else {
            fatalError("usage: rival-hummingbird PORT [NAME=FILE]...")
        }
        let router = Router()
        router.get("/healthz") { _, _ in Health(status: "ok") }
        for argument in CommandLine.arguments.dropFirst(2) {
            let parts = argument.split(separator: "=", maxSplits: 1)
            let bytes = ByteBuffer(bytes: try Data(contentsOf: URL(fileURLWithPath: String(parts[1]))))
            router.get("/\(parts[0])") { _, _ in
                Response(status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: bytes))
            }
        }
        var logger = Logger(label: "rival")
        logger.logLevel = .warning
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port), backlog: 4096),
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup(numberOfThreads: 1)), logger: logger)
        try await application.runService()
    }
}
