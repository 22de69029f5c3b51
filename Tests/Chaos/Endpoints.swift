import Contracts
import FaultSupport
import HTTP
import Platform
import Sockets

/// What a load balancer knows: where requests go. A process that was asked to stop stays in its list for a while, and
/// must answer until it is out of it. Asks every listed api and gateway all the time.
final class Endpoints: Sendable {
    private enum Place {
        case listed
        case leaving(BootInstant)
        /// Asked to stop and out of the list, or its successor is not ready.
        case gone
    }

    private struct State {
        var places: [Stack.Member: Place] = [:]
        var asked = 0
        /// Of them, those that came after the process was asked to stop.
        var askedLate = 0
        var failures: [String] = []
    }

    private static let pause: Duration = .milliseconds(50)
    private static let patience: Duration = .seconds(10)

    private let stack: Stack
    private let state = Lock(State())

    init(_ stack: Stack) { self.stack = stack }

    /// How many requests were sent, how many of them to who was about to stop, and which were not answered.
    var findings: (asked: Int, askedLate: Int, failures: [String]) {
        state.withLock { ($0.asked, $0.askedLate, $0.failures) }
    }

    /// The member is asked to stop; it is out of the list after `delay`.
    func leave(_ member: Stack.Member, after delay: Duration) {
        state.withLock { state in
            // One that was never ready was never listed.
            guard case .listed = state.places[member] ?? .gone else { return state.places[member] = .gone }
            state.places[member] = .leaving(BootInstant.now().advanced(by: delay))
        }
    }

    /// Sends to `members`, each when it is ready, until `isOver`.
    func run(_ members: [Stack.Member], until isOver: @escaping @Sendable () -> Bool) async {
        await withTaskGroup(of: Void.self) { group in
            for member in members {
                group.addTask(executorPreference: stack.loop) { [self] in
                    while !isOver() {
                        await look(at: member)
                        try? await stack.loop.sleep(for: Self.pause)
                    }
                }
            }
        }
    }

    private func look(at member: Stack.Member) async {
        switch state.withLock({ $0.places[member] ?? .gone }) {
        case .listed: await ask(member, isLate: false)
        case .leaving(let end) where BootInstant.now() < end: await ask(member, isLate: true)
        case .leaving:
            state.withLock { $0.places[member] = .gone }
        case .gone:
            // The one that goes says that it is not ready; its successor says that it is.
            guard (try? await stack.probe(member, "/readyz")) == 200 else { return }
            state.withLock { if case .gone = $0.places[member] ?? .gone { $0.places[member] = .listed } }
        }
    }

    private func ask(_ member: Stack.Member, isLate: Bool) async {
        var failure: String?
        do {
            if case .gateway = member { try await greet(member) } else { failure = try await request(member) }
        } catch {
            failure = "\(error)"
        }
        let found = failure.map { "\(member), \(isLate ? "about to stop" : "listed"): \($0)" }
        state.withLock { state in
            state.asked += 1
            if isLate { state.askedLate += 1 }
            if let found { state.failures.append(found) }
        }
    }

    private func request(_ member: Stack.Member) async throws -> String? {
        let answer = try await stack.send("GET", "/api/v1/debates?limit=1", to: member, within: Self.patience)
        return answer.status == 200 ? nil : "status \(answer.status)"
    }

    private func greet(_ member: Stack.Member) async throws {
        guard let address = SocketAddress(ip: "127.0.0.1", port: stack.ports(of: member).main) else { return }
        let client = try await WebSocketClient.connect(
            loop: stack.loop, to: [address], host: "127.0.0.1", target: "/ws?token=\(Stack.token)",
            timeout: Self.patience)
        let greeting = await client.receive()
        await client.abort()
        guard case .text = greeting else { throw Stack.Late(description: "no greeting") }
    }
}
