/// Seals secrets that we must be able to read again, such as those of one-time passwords, before they are stored.
protocol SecretSealer: Sendable {
    /// - Parameter context: what the secret belongs to; another one does not open it.
    func seal(_ secret: [UInt8], context: String) throws -> [UInt8]
    func open(_ sealed: [UInt8], context: String) throws -> [UInt8]
}
