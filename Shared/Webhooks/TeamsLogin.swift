import Contracts
import HTTP
import HTTPClient
import Platform
import Sockets

/// Our app's token for the Bot Connector, kept as long as it is good.
actor TeamsLogin {
    /// Before its end another is asked for.
    static let reserveSeconds: Int64 = 300

    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
    private let settings: TeamsSettings
    private var kept: (text: String, until: Int64)?

    init(_ settings: TeamsSettings, loop: EventLoop) {
        self.settings = settings
        self.loop = loop
    }

    func token(_ client: HTTPClient) async throws(WebhookCourier.Unsendable) -> String {
        if let kept, kept.until > MonotonicTime.now() { return kept.text }
        guard settings.isEnabled, let app = settings.appID, let password = settings.password else {
            throw WebhookCourier.Unsendable(reason: "TEAMS_APP_ID, TEAMS_APP_PASSWORD or TEAMS_TENANT_ID is not set")
        }
        let form = AppToken.form(app: app, password: password.reveal())
            .map { "\($0.0)=\(PercentCoding.encode($0.1))" }.joined(separator: "&")
        let reply: HTTPClientReply
        do throws(HTTPClientError) {
            reply = try await client.send(
                HTTPClientRequest(
                    method: "POST", url: settings.tokenURL,
                    headers: ["Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"],
                    body: Array(form.utf8), maxResponseBytes: WebhookCourier.maxResponseBytes),
                deadlines: WebhookCourier.deadlines)
        } catch { throw WebhookCourier.Unsendable(reason: "Teams' login: \(error.code.rawValue)") }
        guard reply.status == 200, let token = AppToken(reply.body) else {
            throw WebhookCourier.Unsendable(reason: "Teams' login answered \(reply.status)")
        }
        let seconds = min(86_400, max(0, token.lifeSeconds - Self.reserveSeconds))
        kept = (token.text, MonotonicTime.now() + seconds * 1_000_000_000)
        return token.text
    }

    /// After the Bot Connector has refused it.
    func forget(_ token: String) {
        if kept?.text == token { kept = nil }
    }
}
