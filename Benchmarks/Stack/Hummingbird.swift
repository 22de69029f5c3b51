import Glibc
import HTTPClient
import Sockets

/// The rival: Hummingbird 2 on one thread, as Benchmarks/rivals-http has it. scripts/bench.sh builds it and says where it is.
struct Hummingbird: Sendable {
    static let name = "Hummingbird 2"

    let child: Child
    let port: UInt16

    /// - Parameter files: by the paths under which their bytes are answered, from memory.
    /// - Returns: nil when it is not there.
    static func start(_ bench: Bench, folder: String, files: [String: String] = [:]) async throws -> Hummingbird? {
        guard let binary = getenv("BENCH_HUMMINGBIRD").map({ String(cString: $0) }) else {
            bench.say("without Hummingbird: it was not built")
            return nil
        }
        let port = try Ports.free()
        let child = try Child(
            "hummingbird", binary, [String(port)] + files.map { "\($0)=\($1)" }, folder: folder,
            processor: bench.serverProcessor)
        let client = HTTPClient(loop: bench.loop)
        let question = HTTPClientRequest(url: "http://127.0.0.1:\(port)/healthz")
        for _ in 0..<500 {
            if let reply = try? await client.send(question, deadlines: Deadlines(total: .seconds(1))),
                reply.status == 200
            {
                await client.close()
                return Hummingbird(child: child, port: port)
            }
            guard !child.hasEnded() else { break }
            try await bench.loop.sleep(for: .milliseconds(20))
        }
        throw BenchFailure("Hummingbird did not start: \(child.logTail)")
    }

    func stop(on loop: EventLoop) async { await child.stop(on: loop) }
}
