import Sockets

/// Status and headers of a response.
package struct HTTPClientHead: Sendable, Hashable {
    package let status: Int
    package let headers: HTTPClientHeaders
    package init(status: Int, headers: HTTPClientHeaders) {
        self.status = status
        self.headers = headers
    }
}

/// A whole response in memory.
package struct HTTPClientReply: Sendable {
    package let status: Int
    package let headers: HTTPClientHeaders
    package let body: [UInt8]
}

/// The head of a response whose body is still arriving.
package struct HTTPClientResponse: Sendable {
    package let head: HTTPClientHead
    package let body: HTTPClientBody
    package var status: Int { head.status }
    package var headers: HTTPClientHeaders { head.headers }
}

/// A response body as it arrives, for one reader. Giving it up before its end ends the transfer.
package final class HTTPClientBody: Sendable {
    private let client: HTTPClient
    private let transfer: CurlTransfer

    init(client: HTTPClient, transfer: CurlTransfer) {
        self.client = client
        self.transfer = transfer
    }

    deinit {
        let (transfer, loop) = (transfer, client.loop)
        if loop.inLoop && transfer.isFinished { return }
        loop.execute { transfer.cancel() }
    }

    /// The next bytes; nil at the end of the body.
    ///
    /// - Parameter timeout: how long to wait for them; the request's idle deadline unless said otherwise.
    package func next(timeout: Duration? = nil) async throws(HTTPClientError) -> [UInt8]? {
        try await client.next(of: transfer, timeout: timeout).get()
    }

    /// Lets the rest arrive unread for a moment, so that the connection can serve another request. Read no more after it.
    package func finishInBackground() async { await client.finishInBackground(transfer) }
}
