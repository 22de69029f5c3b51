/// How a client connection is encrypted: TLS 1.2 or later, and the server's certificate is always verified.
package struct TLSConfiguration: Sendable, Equatable {
    /// What the certificate must be for: a DNS name, also sent as SNI, or a numeric address.
    package let serverName: String
    /// A PEM file of the authorities to trust; nil means the system's store.
    package let caFile: String?

    package init(serverName: String, caFile: String? = nil) {
        self.serverName = serverName
        self.caFile = caFile
    }
}
