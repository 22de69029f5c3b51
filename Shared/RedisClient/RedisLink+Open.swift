import Platform
import Sockets

extension RedisLink {
    /// Finds the server, connects, shakes hands, authenticates and selects, all within the connect timeout. On the loop.
    ///
    /// With sentinels the server is the primary they name, and it has said itself that it is one. Of a cluster it is any
    /// node.
    /// - Throws: ``RedisError`` `.unavailable`, `.authentication`, `.timedOut`; no message repeats a credential.
    static func open(
        loop: EventLoop, configuration: RedisConfiguration, takePush: (@Sendable (RedisReply) -> Bool)? = nil
    ) async throws(RedisError) -> RedisLink {
        // Once: a reload in between must not pair one server with the password of another.
        let endpoint = configuration.endpoint
        let opener = Opener(loop: loop, configuration: configuration, takePush: takePush)
        switch endpoint.topology {
        case .standalone: return try await opener.open(endpoint)
        case .anyOf(let nodes): return try await opener.open(anyOf: nodes, like: endpoint)
        case .cluster(let more): return try await opener.open(anyOf: [endpoint.node] + more, like: endpoint)
        case .sentinel(let group):
            let primary = try await group.primary(like: endpoint, loop: loop, configuration: configuration)
            let link = try await opener.open(endpoint.at(primary))
            do { try await link.requirePrimary(timeout: opener.timeLeft) } catch {
                link.close(error)
                throw error
            }
            return link
        }
    }

    /// The same to one server of several, with the endpoint's credentials.
    static func open(to node: RedisNode, loop: EventLoop, configuration: RedisConfiguration, takePush: Push?)
        async throws(RedisError) -> RedisLink
    {
        try await Opener(loop: loop, configuration: configuration, takePush: takePush)
            .open(configuration.endpoint.at(node))
    }

    typealias Push = @Sendable (RedisReply) -> Bool

    /// Goes on only at a primary. HELLO tells the role like ROLE does, which a careful ACL forbids.
    private func requirePrimary(timeout: Duration) async throws(RedisError) {
        let reply = try await ask(RedisCommand("HELLO", "2"), timeout: timeout)
        let fields = reply.array ?? []
        guard let index = fields.firstIndex(where: { $0.text == "role" }), index + 1 < fields.count else { return }
        guard fields[index + 1].text == "master" else {
            throw RedisError(.unavailable, "\(node): not a primary (any more)", serverCode: "READONLY")
        }
    }

    fileprivate func greet(
        _ endpoint: RedisConfiguration.Endpoint, as clientName: String?, deadline: Int64
    ) async throws(RedisError) {
        func ask(_ command: RedisCommand) async throws(RedisError) -> RedisReply {
            try await self.ask(command, timeout: .nanoseconds(max(0, deadline - MonotonicTime.now())))
        }
        if let password = endpoint.password {
            let words = ["AUTH"] + (endpoint.user.map { [$0] } ?? []) + [password.reveal()]
            try Self.requireOK(await ask(RedisCommand(words: words)), .authentication, "AUTH")
        }
        if endpoint.database != 0 {
            try Self.requireOK(await ask(RedisCommand("SELECT", String(endpoint.database))), .refused, "SELECT")
        }
        if let name = clientName {
            // A name is for people; an ACL that forbids CLIENT is no reason to stay away.
            _ = try await ask(RedisCommand("CLIENT", "SETNAME", name))
        }
        // The one command that shows whether we are let in at all, and whether the data set is loaded.
        let pong = try await ask(RedisCommand("PING"))
        guard case .error(let text) = pong else { return }
        let code = RedisError(reply: text).serverCode
        if code == "NOPERM" { return }
        let isAuthentication = code == "NOAUTH" || code == "WRONGPASS"
        throw RedisError(isAuthentication ? .authentication : .unavailable, "PING: \(code)", serverCode: code)
    }

    /// Redis's text is reduced to its first word: a proxy in between might repeat what it was sent.
    private static func requireOK(_ reply: RedisReply, _ code: RedisError.Code, _ what: String) throws(RedisError) {
        guard case .error(let text) = reply else { return }
        let word = RedisError(reply: text).serverCode
        throw RedisError(code, "\(what) refused: \(word)", serverCode: word)
    }
}

extension SentinelGroup {
    /// Who is the primary, by the first sentinel that knows.
    ///
    /// They are asked in another order each time: one that is cut off from the others must not always be the first.
    /// - Throws: ``RedisError`` of the last one asked.
    func primary(
        like endpoint: RedisConfiguration.Endpoint, loop: EventLoop, configuration: RedisConfiguration
    ) async throws(RedisError) -> RedisNode {
        var failure = RedisError(.unavailable, "no sentinel is set")
        for node in nodes.shuffled() {
            do throws(RedisError) {
                let opener = Opener(
                    loop: loop, configuration: configuration, takePush: nil, timeout: Self.askTimeout)
                let link = try await opener.open(endpoint.sentinels(self).at(node))
                defer { link.close(RedisError(.closed, "asked")) }
                let reply = try await link.ask(
                    RedisCommand("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name), timeout: opener.timeLeft)
                if case .error(let text) = reply { throw RedisError(reply: text) }
                guard let parts = reply.array, parts.count == 2, let host = parts[0].text,
                    let port = parts[1].text.flatMap({ UInt16($0) })
                else { throw RedisError(.unavailable, "the sentinel at \(node) knows no primary \"\(name)\"") }
                return RedisNode(host: host, port: port)
            } catch {
                failure = RedisError(error.code, "sentinel: \(error.message)", serverCode: error.serverCode)
            }
        }
        throw failure
    }
}

/// Opens links within one deadline.
private struct Opener {
    let loop: EventLoop
    let configuration: RedisConfiguration
    let takePush: RedisLink.Push?
    let deadline: Int64

    init(loop: EventLoop, configuration: RedisConfiguration, takePush: RedisLink.Push?, timeout: Duration? = nil) {
        self.loop = loop
        self.configuration = configuration
        self.takePush = takePush
        deadline = MonotonicTime.now() + (timeout ?? configuration.connectTimeout).nanosecondsClamped
    }

    var timeLeft: Duration { .nanoseconds(max(0, deadline - MonotonicTime.now())) }

    func open(_ endpoint: RedisConfiguration.Endpoint) async throws(RedisError) -> RedisLink {
        let transport: Transport
        do {
            let addresses = try await Resolver.resolve(host: endpoint.host, port: endpoint.port)
            transport = try await Connector.connect(loop: loop, to: addresses, timeout: timeLeft, tls: endpoint.tls)
        } catch let error as SocketError {
            throw RedisError(.unavailable, "\(endpoint.node): \(error.message)")
        } catch {
            throw RedisError(.closed, "connecting was cancelled")
        }
        let link = try RedisLink(
            loop: loop, node: endpoint.node, transport: transport, linkTimeout: configuration.commandTimeout,
            takePush: takePush)
        do {
            try await link.greet(endpoint, as: configuration.clientName, deadline: deadline)
        } catch {
            link.close(error)
            throw error
        }
        return link
    }

    /// The first that answers, in no fixed order; each is given its share of the time that is left.
    func open(anyOf nodes: [RedisNode], like endpoint: RedisConfiguration.Endpoint) async throws(RedisError)
        -> RedisLink
    {
        var failure = RedisError(.unavailable, "no server is set")
        for (index, node) in nodes.shuffled().enumerated() {
            do throws(RedisError) {
                let share = timeLeft / (nodes.count - index)
                return try await Opener(loop: loop, configuration: configuration, takePush: takePush, timeout: share)
                    .open(endpoint.at(node))
            } catch {
                failure = error
            }
        }
        throw failure
    }
}
