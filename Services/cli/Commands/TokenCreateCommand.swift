import Contracts
import Crypto
import Domain
import Platform

/// `aragora token create`.
struct TokenCreateCommand: Command {
    static let shape = CommandShape(
        path: ["token", "create"], summary: "Makes a signed token from ARAGORA_API_TOKEN.",
        details: """
            The token is `scope:expires:code`, good for Authorization: Bearer and for the gateway. Nothing is stored: it is good
            until it expires, or until ARAGORA_API_TOKEN changes.
            """,
        options: [
            .value("--scope", "SCOPE", "admin, or the id of one debate, which is then all it opens; default admin."),
            .value("--ttl", "SECONDS", "How long it is good for; default ARAGORA_TOKEN_TTL, 3600."),
            .flag("--json", "For programs."),
        ], examples: ["aragora token create --scope dbt_01k… --ttl 600"])

    private let scope: String
    private let ttl: Int?
    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        scope = arguments.value("--scope") ?? "admin"
        guard scope == "admin" || DebateID(scope) != nil else {
            throw Arguments.UsageError("--scope takes admin or the id of a debate (dbt_…), not \"\(scope)\"")
        }
        ttl = try arguments.int("--ttl", in: CLISettings.tokenTTLRange)
        isJSON = arguments.has("--json")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        guard let secret = try context.settings.apiToken() else {
            throw CommandFailure(.configuration, "the API token is not set: there is nothing to sign with (see --help)")
        }
        let expires = WallClock.nowMilliseconds() / 1000 + Int64(try ttl ?? context.settings.tokenTTL())
        let token = SignedToken(scope: scope, expires: expires).text(secret: Array(secret.reveal().utf8))
        guard isJSON else {
            context.console.print(token)
            return .ok
        }
        let report = CommandReports.token(token, scope: scope, expires: ISO8601.string(milliseconds: expires * 1000))
        context.console.print(String(decoding: CanonicalJSON.encode(report), as: UTF8.self))
        return .ok
    }
}
