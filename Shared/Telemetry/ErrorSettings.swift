import Platform

/// Where errors are sent: a project of Sentry, or of anything that takes its envelopes.
package struct ErrorSettings: Sendable {
    let receiver: Secret<SentryDSN>
    let environment: String

    init(receiver: SentryDSN, environment: String) {
        self.receiver = Secret(receiver)
        self.environment = environment
    }

    init?(reading reader: inout SettingsReader, environment: String) {
        let dsn = reader.secret(
            "SENTRY_DSN", help: "Sentry project that errors are reported to; without it they go to the log alone.")
        let name = reader.optionalString(
            "SENTRY_ENVIRONMENT", help: "What this installation is called there; by default `ARAGORA_ENV`.")
        self.environment = name ?? environment
        guard let dsn else { return nil }
        guard let receiver = SentryDSN(dsn.reveal()) else {
            reader.report("SENTRY_DSN: expected https://<key>@<host>/<project>")
            return nil
        }
        self.receiver = Secret(receiver)
    }
}

/// `https://<key>@<host>/<path>/<project>`: who may send, and where to.
struct SentryDSN: Sendable, Hashable {
    let key: String
    /// Where envelopes go.
    let url: String

    init?(_ text: String) {
        guard let scheme = ["https://", "http://"].first(where: text.hasPrefix) else { return nil }
        let rest = text.dropFirst(scheme.count)
        let parts = rest.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, let key = parts[0].split(separator: ":").first,
            key.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) })
        else { return nil }
        var path = parts[1].split(separator: "/", omittingEmptySubsequences: true)
        guard path.count >= 2, let project = path.popLast(),
            project.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) }),
            !path[0].contains(where: \.isWhitespace)
        else { return nil }
        self.key = String(key)
        let base = path.map { "\($0)/" }.joined()
        url = "\(scheme)\(base)api/\(project)/envelope/"
    }
}
