import HTTPClient
import Platform
import ServiceKit
import Sockets

/// Single sign-on at an OpenID provider; off unless told.
struct SignOnSettings: Sendable {
    enum Kind: String, Sendable { case oidc, saml }

    struct Provider: Sendable {
        /// Exactly as the provider calls itself.
        let issuer: String
        let client: String
        /// Nil for a public client: PKCE protects the code.
        let secret: Secret<String>?
        /// Where the provider sends browsers back to: our callback as they reach it.
        let callback: String
        let scopes: String
        /// In lower case; empty for any.
        let domains: Set<String>
        /// Whether who has no account gets one.
        let makesAccounts: Bool
        /// How long a session may be renewed.
        let sessionSeconds: Int64
        let caFile: String?

        var addresses: AddressPolicy { SignOnSettings.addresses(near: issuer) }
    }

    /// The operator named the URL, so private networks are allowed; link-local addresses, where clouds keep their
    /// credentials, never, and this machine only when the URL is on it.
    static func addresses(near url: String) -> AddressPolicy {
        let ranges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"]
        let isOnThisMachine = ["localhost", "127.0.0.1", "[::1]"].contains { host in
            url.split(separator: "/").dropFirst().first.map {
                $0 == host || $0.hasPrefix(host + ":")
            } ?? false
        }
        let own = isOnThisMachine ? ["127.0.0.0/8", "::1"] : []
        return AddressPolicy(allowed: (ranges + own).compactMap { AddressRange($0) })
    }

    let isEnabled: Bool
    let kind: Kind
    /// Nil unless enabled, of the kind that is built, and complete.
    let provider: Provider?
    /// Whether cookies are for TLS only.
    let hasSecureCookies: Bool

    init(reading reader: inout SettingsReader, common: CommonSettings) {
        let isEnabled = reader.bool(
            "ARAGORA_SSO_ENABLED", default: false, help: "Whether people may sign in at an identity provider.")
        let kind = reader.oneOf(
            "ARAGORA_SSO_PROVIDER_TYPE", ["oidc", "saml"], default: "oidc",
            help: "OpenID Connect; `saml` is answered with 501.")
        let issuer = reader.optionalString(
            "ARAGORA_SSO_ISSUER_URL", help: "The provider, exactly as its discovery document calls itself.")
        let client = reader.optionalString("ARAGORA_SSO_CLIENT_ID", help: "What the provider calls this installation.")
        let secret = reader.secret(
            "ARAGORA_SSO_CLIENT_SECRET", help: "Proves this installation to the provider; without it a public client.")
        let callback = reader.optionalString(
            "ARAGORA_SSO_CALLBACK_URL",
            help: "Where the provider sends browsers back to: `https://…/signin` as they reach it.")
        let scopes = reader.string(
            "ARAGORA_SSO_SCOPES", default: "openid,email,profile",
            help: "What the provider is asked for, separated by commas or spaces."
        ).split { $0 == "," || $0 == " " }
        let domains = reader.optionalString(
            "ARAGORA_SSO_ALLOWED_DOMAINS",
            help: "Domains of the addresses that may sign in, separated by commas; any without it.")
        let makesAccounts = reader.bool(
            "ARAGORA_SSO_AUTO_PROVISION", default: true,
            help: "Whether who signs in for the first time gets an account, as a member.")
        let session = reader.int(
            "ARAGORA_SSO_SESSION_DURATION", default: 28_800, in: 300...2_592_000,
            help: "Seconds that a session from single sign-on may be renewed.")
        let caFile = reader.optionalString(
            "ARAGORA_SSO_CA_FILE",
            help: "PEM file of the authorities to trust for the provider, instead of the system's.")
        self.isEnabled = isEnabled
        self.kind = Kind(rawValue: kind) ?? .oidc
        hasSecureCookies = common.sessions.hasSecureCookies
        guard isEnabled, kind == "oidc" else {
            provider = nil
            return
        }
        guard let issuer = Self.url(issuer, "ARAGORA_SSO_ISSUER_URL", &reader, common),
            let callback = Self.url(callback, "ARAGORA_SSO_CALLBACK_URL", &reader, common), let client
        else {
            if client == nil { reader.report("ARAGORA_SSO_CLIENT_ID: required when ARAGORA_SSO_ENABLED is true") }
            provider = nil
            return
        }
        if !scopes.contains("openid") { reader.report("ARAGORA_SSO_SCOPES: must contain openid") }
        provider = Provider(
            issuer: issuer, client: client, secret: secret, callback: callback,
            scopes: scopes.joined(separator: " "),
            domains: Set(
                (domains ?? "").lowercased().split { $0 == "," || $0 == " " }
                    .map { String($0.first == "@" ? $0.dropFirst() : $0) }),
            makesAccounts: makesAccounts, sessionSeconds: Int64(session), caFile: caFile)
    }

    private static func url(
        _ text: String?, _ name: String, _ reader: inout SettingsReader, _ common: CommonSettings
    ) -> String? {
        guard let text else {
            reader.report("\(name): required when ARAGORA_SSO_ENABLED is true")
            return nil
        }
        let isPlain = text.hasPrefix("http://")
        guard isPlain || text.hasPrefix("https://"), !text.contains("#"), !text.contains("?"), !text.contains("@")
        else {
            reader.report("\(name): expected https://host/path, got \"\(text)\"")
            return nil
        }
        if isPlain && common.environment == .production {
            reader.report("\(name): must begin with https:// in production")
            return nil
        }
        return text
    }
}
