/// One request. It is sent at most once: no redirects are followed, and nothing is sent again on a fresh connection.
package struct HTTPClientRequest: Sendable {
    /// Bytes of a response body that are taken unless the request says otherwise.
    package static let defaultMaxResponseBytes = 16 * 1024 * 1024

    package let method: String
    /// Absolute, `http://` or `https://`.
    package let url: String
    package var headers: HTTPClientHeaders
    package var body: [UInt8]
    /// A larger response body fails with `.tooLarge`.
    package var maxResponseBytes: Int

    package init(
        method: String = "GET", url: String, headers: HTTPClientHeaders = [:], body: [UInt8] = [],
        maxResponseBytes: Int = HTTPClientRequest.defaultMaxResponseBytes
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.maxResponseBytes = maxResponseBytes
    }
}

/// How long each part of a request may take, from its start unless said otherwise.
package struct Deadlines: Sendable, Hashable {
    /// Until there is a connection, with its TLS handshake; waiting for a free one counts.
    package var connect: Duration
    /// Until the response's head is complete.
    package var firstByte: Duration
    /// How long a reader of the body waits for its next piece. A reader that is busy elsewhere stops this clock.
    package var idle: Duration
    /// Until the body is complete.
    package var total: Duration

    package init(
        connect: Duration = .seconds(10), firstByte: Duration = .seconds(60), idle: Duration = .seconds(30),
        total: Duration = .seconds(120)
    ) {
        self.connect = connect
        self.firstByte = firstByte
        self.idle = idle
        self.total = total
    }
}

/// What all requests of one client share.
package struct HTTPClientConfiguration: Sendable {
    /// Open connections; further requests wait for one until their connect deadline.
    package var maxConnections = 256
    package var maxConnectionsPerHost = 128
    /// Requests in progress, waiting ones included; one more fails with `.busy`.
    package var maxTransfers = 4096
    /// Body bytes kept for a slow reader before the peer is made to wait.
    package var bufferBytes = 64 * 1024
    /// PEM file of the authorities to trust instead of the system's.
    package var caFile: String?
    package var userAgent = "aragora"
    /// Whether `https_proxy`, `no_proxy` and their kin are honoured, as libcurl reads them.
    package var usesEnvironmentProxy = true
    /// Which addresses may be connected to; nil for all. With it no proxy is used.
    package var addresses: AddressPolicy?

    package init() {}
}
