import Contracts
import FaultSupport
import Glibc
import HTTPClient
import Platform
import PostgresClient
import Sockets
import TestSupport
import Testing

/// Deliveries by real processes that die or freeze in their midst, and to names that lead elsewhere a moment later.
@Suite("Webhooks and faults", .needsPostgres, .needsRedis, .timeLimit(.minutes(3)))
struct WebhookFaultTests {
    static let environment = ["ARAGORA_ENCRYPTION_KEY": String(repeating: "1f", count: 32)]
    static let reaching = environment.merging(["ARAGORA_WEBHOOK_ALLOWED_ADDRESSES": "127.0.0.1"]) { $1 }

    private func hurry(_ stack: Stack) async throws {
        _ = try await stack.pool.execute(
            "UPDATE webhook_outbox SET next_attempt = now() - interval '1 second' WHERE delivered_at IS NULL")
    }

    private func ask(_ stack: Stack, url: String) async throws {
        let body =
            #"{"question":"Is it told at least once?","agents":["demo","demo"],"rounds":1,"webhook_url":"\#(url)"}"#
        let answer = try await stack.send("POST", "/api/v1/debates", body: Array(body.utf8))
        stack.check(answer.status == 200, "create answered \(answer.status) \(answer.text)")
    }

    private func delivered(_ stack: Stack) async throws -> Int {
        try await stack.pool.query("SELECT count(delivered_at) AS n FROM webhook_outbox")[0].int("n")
    }

    @Test(
        "who dies or freezes after the receiver took a message leaves it to the next: again, under the same id, noted once",
        arguments: [Fault(point: .afterDelivery, kind: .killed), Fault(point: .afterDelivery, kind: .frozen)])
    func afterDelivery(_ fault: Fault) async throws {
        let loop = try EventLoop(name: "receiver")
        defer { loop.stop() }
        let receiver = try ScriptedServer(loop: loop) { _ in [.response("204 No Content", body: "")] }
        try await Stack.with("webhook-\(fault.kind)") { stack in
            try await stack.start([.api(1)], with: Self.reaching)
            try await stack.start([.worker(1)], with: Self.reaching.merging(fault.environment) { $1 })
            try await ask(stack, url: receiver.url + "/hook")
            try await stack.awaitFault(.worker(1), fault)
            stack.check(receiver.requests.count == 1, "\(receiver.requests.count) requests before the fault")
            stack.check(try await delivered(stack) == 0, "noted before the fault")
            try await hurry(stack)
            try await stack.start([.worker(2)], with: Self.reaching)
            try await stack.eventually("the next one delivers") { try await delivered(stack) == 1 }
            if fault.kind == .frozen { try stack.process(.worker(1)).send(SIGCONT) }
            let ids = receiver.requests.compactMap { $0.header("webhook-id") }
            stack.check(ids.count == 2 && Set(ids).count == 1, "ids \(ids)")
            try await stack.checkAlive(.api(1), .worker(2))
        }
    }

    @Test("who is killed while the receiver thinks has lost nothing")
    func inFlight() async throws {
        let loop = try EventLoop(name: "receiver")
        defer { loop.stop() }
        let receiver = try ScriptedServer(loop: loop) { request in
            request.index == 0 ? [.wait] : [.response("204 No Content", body: "")]
        }
        try await Stack.with("webhook-in-flight") { stack in
            try await stack.start([.api(1)], with: Self.reaching)
            try await stack.start([.worker(1)], with: Self.reaching)
            try await ask(stack, url: receiver.url + "/hook")
            try await stack.eventually("the receiver has it") { receiver.requests.count == 1 }
            try await stack.kill(.worker(1))
            try await hurry(stack)
            try await stack.start([.worker(2)], with: Self.reaching)
            try await stack.eventually("the next one delivers") { try await delivered(stack) == 1 }
            let ids = receiver.requests.compactMap { $0.header("webhook-id") }
            stack.check(ids.count == 2 && Set(ids).count == 1, "ids \(ids)")
        }
    }

    private static let mayMount = system("unshare -Urm true 2>/dev/null") == 0

    @Test(
        "a name that was harmless and leads into our network at the next attempt is not connected to",
        .enabled(if: mayMount, "needs a mount namespace of its own"))
    func rebinding() async throws {
        let loop = try EventLoop(name: "receiver")
        defer { loop.stop() }
        // Inside: what a real server of ours would be.
        let inside = try ScriptedServer(loop: loop) { _ in [.response("200 OK", body: "")] }
        try await Stack.with("webhook-rebinding") { stack in
            let hosts = stack.folder + "/hosts"
            // 127.0.0.2 stands for an address that is permitted; nobody listens there.
            let environment = Self.environment.merging(["ARAGORA_WEBHOOK_ALLOWED_ADDRESSES": "127.0.0.2"]) { $1 }
            try await stack.start([.api(1)], with: environment)
            try ask(hosts, leadsTo: "127.0.0.2")
            try await stack.start([.worker(1)], with: environment, wrapper: Self.wrapper(hosts, in: stack.folder))
            try await ask(stack, url: "http://rebound.example.org:\(inside.port)/")
            try await stack.eventually("the first attempt failed") { try await failure(stack) == "connect" }
            try await stack.kill(.worker(1))
            try ask(hosts, leadsTo: "127.0.0.1")
            try await hurry(stack)
            try await stack.start([.worker(2)], with: environment, wrapper: Self.wrapper(hosts, in: stack.folder))
            try await stack.eventually("the second is given up") {
                try await failure(stack)?.hasPrefix("addressRefused") == true
            }
            stack.check(inside.connectionCount == 0, "\(inside.connectionCount) connections to the inside")
            // The same server is reached when the address is permitted: the name alone made it fail.
            try await stack.kill(.worker(2))
            _ = try await stack.pool.execute("UPDATE webhook_outbox SET dead_at = NULL")
            try await hurry(stack)
            try await stack.start(
                [.worker(3)], with: Self.reaching, wrapper: Self.wrapper(hosts, in: stack.folder))
            try await stack.eventually("it is reached") { inside.requests.count == 1 }
        }
    }

    private func failure(_ stack: Stack) async throws -> String? {
        try await stack.pool.query("SELECT failure FROM webhook_outbox").first?.optionalText("failure")
    }

    private func ask(_ hosts: String, leadsTo address: String) throws {
        try Self.write("127.0.0.1 localhost\n\(address) rebound.example.org\n", to: hosts)
    }

    /// A program that runs another one with a hosts file of its own.
    private static func wrapper(_ hosts: String, in folder: String) throws -> String {
        let path = folder + "/with-hosts"
        try write(
            "#!/bin/sh\nexec unshare -Urm sh -c 'mount --bind \(hosts) /etc/hosts && exec \"$WRAPPED\"'\n", to: path)
        chmod(path, 0o700)
        return path
    }

    private struct Unwritten: Error {}

    private static func write(_ text: String, to path: String) throws {
        guard let file = unsafe fopen(path, "w") else { throw Unwritten() }
        unsafe fputs(text, file)
        unsafe fclose(file)
    }
}
