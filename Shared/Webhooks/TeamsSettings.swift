package import Platform

/// Our app in Teams, and where the Bot Connector may be.
package struct TeamsSettings: Sendable {
    package static let login = "https://login.microsoftonline.com"
    /// Where Microsoft has the Bot Connector of Teams; anybody may have a name below `trafficmanager.net`.
    static let microsoft = "https://smba.trafficmanager.net"
    static let microsoftDomain = ".teams.microsoft.com"
    package let appID: String?
    package let password: Secret<String>?
    /// The only one whose people are heard, a UUID in lower case; without it anybody who installs the bot would be a member.
    package let tenant: String?
    let login: String
    /// Origins that are taken beside Microsoft's.
    let services: Set<String>

    /// All are needed: without the password nobody could be answered, without the tenant everybody would be heard.
    package var isEnabled: Bool { appID != nil && password != nil && tenant != nil }

    package init(reading reader: inout SettingsReader) {
        appID = reader.optionalString("TEAMS_APP_ID", help: "The Teams bot's app id; its messages must be for it.")
        password = reader.secret(
            "TEAMS_APP_PASSWORD", help: "The Teams bot's client secret; without it Teams' requests are refused.")
        tenant = Self.tenant(reading: &reader, isNeeded: appID != nil || password != nil)
        let login = reader.string(
            "TEAMS_LOGIN_URL", default: Self.login,
            help: "Where the app's tokens are had; for other clouds, proxies and tests.")
        self.login = login.hasSuffix("/") ? String(login.dropLast()) : login
        let name = "TEAMS_SERVICE_URLS"
        let text = reader.optionalString(
            name,
            help: "Origins where the Bot Connector may be beside Microsoft's, separated by commas: `https://host`.")
        var origins: Set<String> = []
        for part in (text ?? "").split(separator: ",") {
            let word = String(part.filter { $0 != " " })
            if let origin = Self.origin(word), origin.count == word.count {
                origins.insert(origin)
            } else {
                reader.report("\(name): \"\(word)\" is no origin like https://host")
            }
        }
        services = origins
    }

    /// Where a token is had.
    var tokenURL: String { "\(login)/\(tenant ?? "")/oauth2/v2.0/token" }

    private static func tenant(reading reader: inout SettingsReader, isNeeded: Bool) -> String? {
        let name = "TEAMS_TENANT_ID"
        let text = reader.optionalString(
            name,
            help: "The tenant (a UUID) whose app the bot is, and whose people alone are heard; Teams needs it."
        )
        guard let text else {
            if isNeeded {
                reader.report(
                    "\(name): must be set with TEAMS_APP_ID and TEAMS_APP_PASSWORD: without it anybody who installs the bot would be heard"
                )
            }
            return nil
        }
        guard isUUID(text) else {
            // Words such as "common" or "organizations" mean everybody's.
            reader.report("\(name): expected your tenant's id, a UUID, got \"\(text)\"")
            return nil
        }
        return text.lowercased()
    }

    private static func isUUID(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return parts.map(\.count) == [8, 4, 4, 4, 12]
            && parts.joined().allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20) }
    }

    /// Whether answers, and with them our token, may be sent there.
    package func mayWrite(to service: String) -> Bool {
        guard let origin = Self.origin(service) else { return false }
        return origin == Self.microsoft || services.contains(origin)
            || (origin.hasPrefix("https://") && origin.hasSuffix(Self.microsoftDomain))
    }

    /// Scheme, host and port in lower case; nil for a URL with anything that clients may read in different ways.
    static func origin(_ url: String) -> String? {
        guard let scheme = ["https://", "http://"].first(where: url.hasPrefix) else { return nil }
        let rest = url.utf8.dropFirst(scheme.utf8.count)
        let authority = rest.prefix { $0 != UInt8(ascii: "/") }
        let isPlain = authority.allSatisfy { isNameByte($0) || $0 == UInt8(ascii: ":") }
        let path = rest.dropFirst(authority.count)
        guard !authority.isEmpty, isPlain,
            path.allSatisfy({ isNameByte($0) || "/_~".utf8.contains($0) }), url.utf8.count <= 1024
        else { return nil }
        return (scheme + String(decoding: authority, as: UTF8.self)).lowercased()
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }
}
