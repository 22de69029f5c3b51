package import Domain
import HTTPClient
package import Platform

/// An `http://` or `https://` address without a trailing slash, query or user.
package struct BaseURL: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    /// - Returns: nil unless the text is such an address.
    package init?(_ text: String) {
        var text = text[...]
        while text.hasSuffix("/") { text.removeLast() }
        guard let scheme = ["http://", "https://"].first(where: { text.lowercased().hasPrefix($0) }),
            text.utf8.count > scheme.utf8.count, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            !text.contains(where: { "?#@\"<>\\".contains($0) })
        else { return nil }
        self.text = String(text)
    }

    /// Whether there is a path after the host.
    var hasPath: Bool { text.split(separator: "/", omittingEmptySubsequences: true).count > 2 }
    package var description: String { text }
}

/// Where and how one provider is called.
package struct ProviderEndpoint: Sendable {
    package let provider: ProviderKey
    package let baseURL: BaseURL
    /// nil for local servers that ask for none.
    package var key: Secret<String>? { keySource.current }
    private let keySource: Reloadable<Secret<String>?>
    /// For agents that name no model.
    package let model: String
    /// Tokens of one answer, those a model spends on thinking included.
    package let maxTokens: Int
    package let deadlines: CallDeadlines

    package static let defaultMaxTokens = 8192

    package init(
        provider: ProviderKey, baseURL: BaseURL, key: Secret<String>?, model: String,
        maxTokens: Int = ProviderEndpoint.defaultMaxTokens,
        deadlines: CallDeadlines = CallDeadlines()
    ) {
        self.provider = provider
        self.baseURL = baseURL
        keySource = Reloadable(key)
        self.model = model
        self.maxTokens = maxTokens
        self.deadlines = deadlines
    }

    /// Sends another reading's key from the next call on.
    func adopt(_ fresh: ProviderEndpoint) { keySource.replace(with: fresh.key) }
}

/// The clocks of one call.
package struct CallDeadlines: Sendable {
    /// Until there is a connection.
    package let connect: Duration
    /// From the start to the first token, connecting included.
    package let firstToken: Duration
    /// Between tokens; a peer that only keeps the line open stalls.
    package let idle: Duration
    /// From the start, waiting for a free place included, to the end.
    package let total: Duration

    package init(
        connect: Duration = .seconds(10), firstToken: Duration = .seconds(60), idle: Duration = .seconds(30),
        total: Duration = .seconds(150)
    ) {
        self.connect = connect
        self.firstToken = firstToken
        self.idle = idle
        self.total = total
    }

    init(reading reader: inout SettingsReader) {
        let range = ProviderSettings.totalSecondsRange
        self.init(
            connect: reader.seconds(
                "ARAGORA_PROVIDER_CONNECT_SECONDS", default: 10, in: range,
                help: "Longest wait for a connection to a provider."),
            firstToken: reader.seconds(
                "ARAGORA_PROVIDER_FIRST_TOKEN_SECONDS", default: 60, in: range,
                help: "Longest wait for the first token of an answer."),
            idle: reader.seconds(
                "ARAGORA_PROVIDER_IDLE_SECONDS", default: 30, in: range, help: "Longest silence between two tokens."),
            total: reader.seconds(
                "ARAGORA_PROVIDER_TOTAL_SECONDS", default: 150, in: range,
                help: "Longest a call may take, waiting for its turn included."))
    }

    /// For the connection; the clocks of tokens are kept by the call itself. `spent` is what waiting took.
    func transfer(spent: Duration) -> Deadlines {
        Deadlines(connect: connect, firstByte: firstToken, idle: idle, total: max(.milliseconds(1), total - spent))
    }
}
