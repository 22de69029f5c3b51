import Contracts
import Dispatch
import Glibc
import Platform
import Sockets

/// `--healthcheck`: asks the process that runs with the same settings on this machine whether it is ready.
///
/// For `HEALTHCHECK` of an image, compose, and systemd: no other program is needed. Reads the two settings that say
/// where health is served and nothing else, so that it costs next to nothing and works beside a process that will not start.
package enum HealthCommand {
    /// For the connection and the answer together.
    static let deadline = Duration.seconds(3)

    /// Prints one line and ends the process: 0 when `/readyz` says ready, 1 when not or when nobody answers.
    static func run(name: String) -> Never {
        var reader = SettingsReader(lookup: { getenv($0).map { String(cString: $0) } })
        let common = CommonSettings(reading: &reader, processors: 1)
        // The program's one bare task; the process itself is its owner.
        Task {
            let (isReady, line) = await answer(bindAddress: common.bindAddress, port: common.metricsPort)
            print("aragora-\(name): \(line)")
            exit(isReady ? 0 : 1)
        }
        dispatchMain()
    }

    /// Whether the process is ready, and a line for a person.
    package static func answer(bindAddress: String, port: UInt16) async -> (isReady: Bool, line: String) {
        guard port > 0 else { return (false, "ARAGORA_METRICS_PORT is 0, a port that only the process's log names") }
        let addresses = addresses(bindAddress, port)
        guard !addresses.isEmpty else { return (false, "ARAGORA_BIND_ADDRESS \"\(bindAddress)\" is not an IP address") }
        do {
            let loop = try EventLoop(name: "healthcheck")
            defer { loop.stop() }
            let answer = try await withTimeout(deadline, on: loop) {
                try await HealthQuestion.ask(addresses, on: loop, timeout: deadline)
            }.get()
            return HealthBody.readinessLine(status: answer.status, body: answer.body)
        } catch {
            return (false, "no answer on port \(port): \(error)")
        }
    }

    /// Where a process that binds `bindAddress` can be reached from its own machine: itself, unless it binds all.
    static func addresses(_ bindAddress: String, _ port: UInt16) -> [SocketAddress] {
        let hosts: [String]
        switch bindAddress {
        case "0.0.0.0": hosts = ["127.0.0.1"]
        case "::", "0:0:0:0:0:0:0:0": hosts = ["::1", "127.0.0.1"]
        default: hosts = [bindAddress]
        }
        return hosts.compactMap { SocketAddress(ip: $0, port: port) }
    }
}
