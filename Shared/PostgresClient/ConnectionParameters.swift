import Platform
import Sockets

/// The keyword and value pairs a connection starts with: those of the DSN, ours, and addresses for its host names.
struct ConnectionParameters: Sendable {
    /// Addresses tried for one connection.
    static let maxAddresses = 16

    private(set) var values: [String: String]

    /// - Throws: `.invalid`, without libpq's words, which may quote the password.
    init(_ configuration: PGConfiguration) throws(PGError) {
        guard let parsed = PGHandle.parse(dsn: configuration.dsn.reveal()) else {
            throw PGError(.invalid, "the DSN is neither a Postgres URI nor key=value pairs")
        }
        values = parsed
        values["client_encoding"] = "UTF8"
        values["application_name"] = values["application_name"] ?? configuration.applicationName
        values["tcp_user_timeout"] = values["tcp_user_timeout"] ?? String(configuration.tcpUserTimeout.milliseconds)
        let seconds = String(max(1, configuration.keepaliveInterval.milliseconds / 1000))
        values["keepalives_idle"] = values["keepalives_idle"] ?? seconds
        values["keepalives_interval"] = values["keepalives_interval"] ?? seconds
        values["keepalives_count"] = values["keepalives_count"] ?? "3"
        // A pooler refuses start-up options; there the parameters travel with each transaction.
        guard configuration.namedStatements else { return }
        let options = configuration.parameters.map { "-c \(Self.escape("\($0.name)=\($0.value)"))" }
        values["options"] = ([values["options"]].compactMap { $0 } + options).joined(separator: " ")
    }

    /// In `options`, spaces separate and a backslash takes the next character as it is.
    private static func escape(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            if character == " " || character == "\\" { result.append("\\") }
            result.append(character)
        }
    }

    /// The same with a numeric address for every host name, since libpq's own lookup would block the loop.
    /// - Throws: `.unavailable` when no name could be resolved.
    func resolved() async throws(PGError) -> ConnectionParameters {
        guard values["hostaddr"] == nil, let list = values["host"], !list.isEmpty else { return self }
        let hosts = list.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let ports = (values["port"] ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        var entries: [(host: String, address: String, port: String)] = []
        var failure: String?
        for (index, host) in hosts.enumerated() {
            let port = index < ports.count ? ports[index] : ports.count == 1 ? ports[0] : ""
            if host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") {
                entries.append((host, "", port))
                continue
            }
            do {
                let addresses = try await Resolver.resolve(host: host, port: 0).map(\.host)
                for address in addresses
                where !entries.contains(where: { $0.host == host && $0.address == address && $0.port == port }) {
                    entries.append((host, address, port))
                }
            } catch { failure = "\(error)" }
        }
        guard !entries.isEmpty else { throw PGError(.unavailable, failure ?? "no host to connect to") }
        return replacingHosts(with: entries.prefix(Self.maxAddresses))
    }

    private func replacingHosts(with entries: ArraySlice<(host: String, address: String, port: String)>)
        -> ConnectionParameters
    {
        var copy = self
        copy.values["host"] = entries.map(\.host).joined(separator: ",")
        copy.values["hostaddr"] = entries.map(\.address).joined(separator: ",")
        copy.values["port"] = entries.map(\.port).joined(separator: ",")
        return copy
    }
}
