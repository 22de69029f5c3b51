/// Keeps secrets as they are, until there is a key for what is stored: the first byte says so.
struct UnsealedSecrets: SecretSealer {
    private static let mark: UInt8 = 0

    struct Unreadable: Error {}

    func seal(_ secret: [UInt8], context: String) throws -> [UInt8] { [Self.mark] + secret }

    func open(_ sealed: [UInt8], context: String) throws -> [UInt8] {
        guard sealed.first == Self.mark else { throw Unreadable() }
        return Array(sealed.dropFirst())
    }
}
