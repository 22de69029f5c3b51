package import Sockets

/// Sends HTTP requests from one event loop, over connections that are kept and reused.
///
/// HTTP/1.1, and HTTP/2 where TLS negotiates it; only `http` and `https`; no redirects; names are resolved off the loop.
/// Callers on the same loop pay no thread hop. Close it with ``close()`` before the loop is stopped.
package actor HTTPClient {
    package nonisolated let loop: EventLoop
    private let engine: CurlEngine

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    /// Nothing is opened until the first request.
    package init(loop: EventLoop, configuration: HTTPClientConfiguration = HTTPClientConfiguration()) {
        self.loop = loop
        engine = CurlEngine(loop: loop, configuration: configuration)
    }

    deinit {
        let engine = engine
        loop.execute { engine.close() }
    }

    /// Sends a request and returns when the response's head is there.
    ///
    /// Cancelling the task ends the transfer at once, during this call or while the body is read.
    package func open(
        _ request: HTTPClientRequest, deadlines: Deadlines = Deadlines()
    ) async throws(HTTPClientError) -> HTTPClientResponse {
        guard !Task.isCancelled else {
            throw HTTPClientError(.cancelled, "cancelled before it was sent", wasSent: false)
        }
        let transfer = try engine.start(request, deadlines)
        // Made first: if the wait fails, its end gives the transfer up.
        let body = HTTPClientBody(client: self, transfer: transfer)
        let head = try await waitForHead(of: transfer).get()
        return HTTPClientResponse(head: head, body: body)
    }

    /// Sends a request and returns the whole response.
    package func send(
        _ request: HTTPClientRequest, deadlines: Deadlines = Deadlines()
    ) async throws(HTTPClientError) -> HTTPClientReply {
        let response = try await open(request, deadlines: deadlines)
        var body: [UInt8] = []
        while let piece = try await response.body.next() { body.append(contentsOf: piece) }
        return HTTPClientReply(status: response.status, headers: response.headers, body: body)
    }

    /// Ends every transfer with `.cancelled` and closes every connection; later requests are refused.
    package func close() { engine.close() }

    /// Connections opened since the start; requests minus this is how often one was reused.
    package var connectionsOpened: Int { engine.connectionsOpened }

    // MARK: For the body

    func next(of transfer: CurlTransfer, timeout: Duration?) async -> Result<[UInt8]?, HTTPClientError> {
        if Task.isCancelled { transfer.cancel() }
        if let ready = transfer.takeReady() { return ready }
        return await endingOnCancellation(transfer) { await self.bytes(of: transfer, timeout: timeout) }
    }

    func finishInBackground(_ transfer: CurlTransfer) { transfer.discardRest() }

    private func waitForHead(of transfer: CurlTransfer) async -> Result<HTTPClientHead, HTTPClientError> {
        await endingOnCancellation(transfer) { await self.head(of: transfer) }
    }

    private func endingOnCancellation<Value: Sendable>(
        _ transfer: CurlTransfer, _ wait: () async -> Result<Value, HTTPClientError>
    ) async -> Result<Value, HTTPClientError> {
        let loop = loop
        return await withTaskCancellationHandler(operation: wait) { loop.execute { transfer.cancel() } }
    }

    // Methods of the actor, as a closure that does not use `self` would run off the loop.

    private func head(of transfer: CurlTransfer) async -> Result<HTTPClientHead, HTTPClientError> {
        await withCheckedContinuation { transfer.waitForHead($0) }
    }

    private func bytes(of transfer: CurlTransfer, timeout: Duration?) async -> Result<[UInt8]?, HTTPClientError> {
        await withCheckedContinuation { transfer.waitForBytes($0, timeout: timeout) }
    }
}
