import Contracts
import FaultSupport
import HTTP
import Platform
import Sockets

/// What a load balancer knows: where requests go. A process that was asked to stop stays in its list for a while, and
/// must answer until it is out of it. Clients and viewers go only where it says; and it asks every listed api and gateway
/// itself all the time.
final class Endpoints: Sendable {
    private enum Place {
        case listed
        case leaving(BootInstant)
        /// Asked to stop and out of the list, whatever it says of itself: it may not have heard yet.
        case stopping
        /// Not there, or not ready.
        case gone
    }

    /// Who comes.
    enum Visitor: String, CaseIterable { case client, viewer, balancer }

    /// Where somebody goes who was told so by the list.
    struct Target: Sendable {
        let member: Stack.Member
        /// It was asked to stop, and is still listed.
        var isLate = false
    }

    /// What became of all who went where the list said.
    struct Findings: Sendable {
        var asked: [Visitor: Int] = [:]
        /// Of them, those that came after the process was asked to stop.
        var askedLate: [Visitor: Int] = [:]
        var failures: [String] = []
    }

    private struct State {
        var places: [Stack.Member: Place] = [:]
        var findings = Findings()
    }

    private static let pause: Duration = .milliseconds(50)
    private static let patience: Duration = .seconds(10)

    private let stack: Stack
    private let state = Lock(State())

    init(_ stack: Stack) { self.stack = stack }

    var findings: Findings { state.withLock { $0.findings } }

    func lists(_ member: Stack.Member) -> Bool {
        state.withLock { if case .listed = $0.places[member] ?? .gone { true } else { false } }
    }

    /// Who of these is listed, beginning with the `number`-th; nil when nobody is.
    func pick(_ members: [Stack.Member], _ number: Int) -> Target? {
        let now = BootInstant.now()
        return state.withLock { state in
            for place in members.indices {
                let member = members[(number + place) % members.count]
                switch state.places[member] ?? .gone {
                case .listed: return Target(member: member)
                case .leaving(let end) where now < end: return Target(member: member, isLate: true)
                default: continue
                }
            }
            return nil
        }
    }

    /// What became of a request; whoever was listed when it was sent must answer it.
    /// - Parameter failure: nil for an answer.
    func note(_ visitor: Visitor, at target: Target, _ failure: String?) {
        let found = failure.map {
            "\(visitor) at \(target.member), \(target.isLate ? "about to stop" : "listed"): \($0)"
        }
        state.withLock { state in
            state.findings.asked[visitor, default: 0] += 1
            if target.isLate { state.findings.askedLate[visitor, default: 0] += 1 }
            if let found { state.findings.failures.append(found) }
        }
    }

    /// The member is asked to stop; it is out of the list after `delay`.
    func leave(_ member: Stack.Member, after delay: Duration) {
        state.withLock { state in
            // One that was never ready was never listed.
            guard case .listed = state.places[member] ?? .gone else { return state.places[member] = .stopping }
            state.places[member] = .leaving(BootInstant.now().advanced(by: delay))
        }
    }

    /// The member that was asked to stop has ended; its successor is listed when it is ready.
    func ended(_ member: Stack.Member) { state.withLock { $0.places[member] = .gone } }

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
        case .listed: await ask(Target(member: member))
        case .leaving(let end) where BootInstant.now() < end: await ask(Target(member: member, isLate: true))
        case .leaving:
            state.withLock { if case .leaving = $0.places[member] { $0.places[member] = .stopping } }
        case .stopping: break
        case .gone:
            guard (try? await stack.probe(member, "/readyz")) == 200 else { return }
            state.withLock { if case .gone = $0.places[member] ?? .gone { $0.places[member] = .listed } }
        }
    }

    private func ask(_ target: Target) async {
        let member = target.member
        do {
            var failure: String?
            if case .gateway = member { try await greet(member) } else { failure = try await request(member) }
            note(.balancer, at: target, failure)
        } catch {
            note(.balancer, at: target, "\(error)")
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
