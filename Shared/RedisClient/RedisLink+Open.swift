import Platform
import Sockets

extension RedisLink {
    /// Resolves, connects, shakes hands, authenticates and selects, all within the connect timeout. On the loop.
    /// - Throws: ``RedisError`` `.unavailable`, `.authentication`, `.timedOut`; no message repeats a credential.
    static func open(
        loop: EventLoop, configuration: RedisConfiguration, takePush: (@Sendable (RedisReply) -> Bool)? = nil
    ) async throws(RedisError) -> RedisLink {
        let deadline = MonotonicTime.now() + configuration.connectTimeout.nanosecondsClamped
        // Once: a reload in between must not pair one server with the password of another.
        let endpoint = configuration.endpoint
        let transport: Transport
        do {
            let addresses = try await Resolver.resolve(host: endpoint.host, port: endpoint.port)
            let left = Duration.nanoseconds(max(0, deadline - MonotonicTime.now()))
            transport = try await Connector.connect(loop: loop, to: addresses, timeout: left, tls: endpoint.tls)
        } catch let error as SocketError {
            throw RedisError(.unavailable, "\(endpoint.address): \(error.message)")
        } catch {
            throw RedisError(.closed, "connecting was cancelled")
        }
        let link = try RedisLink(
            loop: loop, transport: transport, linkTimeout: configuration.commandTimeout, takePush: takePush)
        do {
            try await link.greet(endpoint, as: configuration.clientName, deadline: deadline)
        } catch {
            link.close(error)
            throw error
        }
        return link
    }

    private func greet(
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
