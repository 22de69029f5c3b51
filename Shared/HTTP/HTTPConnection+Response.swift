import Platform
import Sockets

extension HTTPConnection {
    /// Has a request answered that need not wait.
    func answerAtOnce(_ current: Current, _ body: [UInt8], _ responder: InstantResponder) {
        let response: Response
        do {
            let request = try Request(head: current.head, body: body, limits: server.limits)
            response = try responder(request, RequestContext(current.match, peer: transport.peer, loop: loop))
        } catch {
            response = rendered(error)
        }
        send(response, to: current.head, number)
    }

    /// Has one request answered, and the answer sent.
    ///
    /// The task is not isolated to this actor, only to its thread: it starts within this call, and a handler that need
    /// not wait is done when it returns. An isolated task would be queued first, which costs a quarter of a request.
    nonisolated func startAnswer(_ current: Current, _ body: [UInt8], _ number: Int) -> Task<Void, Never> {
        // Owned by the connection: stored until it ends, cancelled when the socket or the deadline is gone.
        Task.immediate(executorPreference: loop) {
            let response = await self.response(to: current, body)
            guard case .stream(let length, let produce) = response.content else {
                return self.deliver(response, to: current.head, number)
            }
            await self.stream(response, length, produce, to: current.head, number)
        }
    }

    private nonisolated func response(to current: Current, _ body: [UInt8]) async -> Response {
        do {
            let request = try Request(head: current.head, body: body, limits: server.limits)
            let context = RequestContext(current.match, peer: transport.peer, loop: loop)
            return try await current.match.route.responder(request, context)
        } catch {
            return rendered(error)
        }
    }

    private nonisolated func rendered(_ error: any Error) -> Response {
        if let error = error as? HTTPError { return settings.renderError(error) }
        settings.onUnexpected(error)
        return settings.renderError(.internalError)
    }

    /// On the loop's thread, which is where the task runs.
    private nonisolated func deliver(_ response: Response, to head: RequestHead, _ number: Int) {
        assumeIsolated { $0.send(response, to: head, number) }
    }

    private func send(_ response: Response, to head: RequestHead, _ number: Int) {
        // The deadline or the socket may have ended this request while its handler was at work.
        guard self.number == number, phase == .handling else { return response.discard() }
        let keepsAlive = head.keepsAlive && !isDraining
        switch response.content {
        case .empty, .bytes:
            sendWhole(
                response, keepsAlive: keepsAlive, versionMinor: head.versionMinor, omitsBody: head.method == .head)
            finish(keepsAlive: keepsAlive)
        case .stream:
            preconditionFailure("streams are sent by their own task")
        case .webSocket(let upgrade):
            becomeWebSocket(upgrade, response.headers)
        case .tunnel(let tunnel):
            becomeTunnel(tunnel)
        }
    }

    /// The response to this request has been queued; goes on with the next or hangs up.
    private func finish(keepsAlive: Bool) {
        task = nil
        current = nil
        guard phase != .gone else { return }
        guard keepsAlive else { return linger() }
        phase = .head
        setDeadline(server.deadlines.idle)
        drainInput()
    }

    /// Queues a response whose body is known. `omitsBody` is for HEAD: all fields, no body (RFC 9110 §9.3.2).
    func sendWhole(_ response: Response, keepsAlive: Bool, versionMinor: Int = 1, omitsBody: Bool) {
        var body: [UInt8] = []
        if case .bytes(let bytes) = response.content { body = bytes }
        let isBodyless = response.status.isBodyless
        var out: [UInt8] = []
        let joins = body.count <= Self.maxJoinedBytes
        out.reserveCapacity(ResponseWriter.room(for: response.headers) + (joins ? body.count : 0))
        ResponseWriter.appendHead(
            to: &out, response.status, response.headers, isBodyless ? .none : .length(body.count),
            keepsAlive: keepsAlive, versionMinor: versionMinor, date: dateLine())
        guard !omitsBody, !isBodyless, !body.isEmpty else { return transport.send(out) }
        if joins { out += body }
        transport.send(out)
        if !joins { transport.send(body) }
    }

    private func dateLine() -> [UInt8] { server.assumeIsolated { $0.date() } }

    /// Bodies up to this are copied behind their head, which costs less than a second piece.
    private static var maxJoinedBytes: Int { 4096 }

    // MARK: Streamed bodies

    private func stream(
        _ response: Response, _ length: Int?, _ produce: @Sendable (BodyWriter) async throws -> Void,
        to head: RequestHead, _ number: Int
    ) async {
        guard self.number == number, phase == .handling else { return }
        let framing: ResponseWriter.Framing =
            response.status.isBodyless
            ? .none : length.map { .length($0) } ?? (head.versionMinor > 0 ? .chunked : .untilClose)
        let keepsAlive = head.keepsAlive && !isDraining && framing != .untilClose
        var out: [UInt8] = []
        ResponseWriter.appendHead(
            to: &out, response.status, response.headers, framing, keepsAlive: keepsAlive,
            versionMinor: head.versionMinor, date: dateLine())
        transport.send(out)
        guard head.method != .head, framing != .none else { return finish(keepsAlive: keepsAlive) }
        phase = .streaming
        deadline = .max
        let writer = BodyWriter(connection: self, number: number, framing: framing, sent: Lock(0))
        do {
            try await produce(writer)
            guard self.number == number, phase == .streaming else { return }
            guard writer.isComplete else { return transport.close() }
            if framing == .chunked { transport.send(ResponseWriter.lastChunk) }
            finish(keepsAlive: keepsAlive && !isDraining)
        } catch {
            // The client must not take a part for the whole: no last chunk, no clean end.
            guard self.number == number, phase == .streaming else { return }
            if !(error is BodyWriter.Closed) { settings.onUnexpected(error) }
            transport.close()
        }
    }

    /// Queues a piece of the streamed body; returns when the client has caught up enough for another.
    func write(_ bytes: [UInt8], _ framing: ResponseWriter.Framing, _ number: Int) async throws {
        guard self.number == number, phase == .streaming else { throw BodyWriter.Closed() }
        if framing == .chunked {
            var out: [UInt8] = []
            out.reserveCapacity(bytes.count + 16)
            ResponseWriter.appendChunk(to: &out, bytes)
            transport.send(out)
        } else {
            transport.send(bytes)
        }
        guard transport.pendingBytes >= Transport.highWaterBytes else { return }
        setDeadline(server.deadlines.stall)
        try await withCheckedThrowingContinuation { writers.append($0) }
    }

    // MARK: Taking over the connection

    private func becomeWebSocket(_ upgrade: WebSocketUpgrade, _ headers: Headers) {
        var out: [UInt8] = []
        ResponseWriter.appendSwitch(
            to: &out, protocol: "websocket", upgrade.fields(beside: headers), date: dateLine())
        transport.send(out)
        let session = WebSocketSession(
            transport: transport, server: server, settings: upgrade.settings, compression: upgrade.compression)
        session.open(upgrade.open)
        handOver(to: session)
    }

    private func becomeTunnel(_ tunnel: Tunnel) {
        let session = TunnelSession(client: transport, server: server, tunnel: tunnel)
        do {
            try session.open()
        } catch {
            sendWhole(settings.renderError(Tunnel.unreachable), keepsAlive: false, omitsBody: false)
            return linger()
        }
        handOver(to: session)
    }
}

extension Response {
    /// Lets go of what the response would have taken over; for answers that come too late.
    fileprivate func discard() {
        guard case .tunnel(let tunnel) = content else { return }
        tunnel.upstream.close()
    }
}
