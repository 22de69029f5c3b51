/// What the Bot Connector sends (an activity of the Bot Framework), as far as it is used.
package struct TeamsActivity: Sendable {
    /// `channelId` of Teams.
    package static let teams = "msteams"
    static let maximumID = 512

    package enum Content: Sendable, Equatable {
        case said(String)
        /// One of our buttons.
        case pressed(String, debate: String)
        /// Nothing that is answered: who came and went, reactions, typing.
        case other
    }

    /// Who says it, and where.
    package struct Origin: Sendable {
        /// The same when the activity is sent again.
        package let id: String
        package let conversation: String
        package let user: String
        package let bot: String
        /// Every tenant that it names, in lower case.
        package let tenants: Set<String>

        /// Whether it comes from this tenant (in lower case) and from no other, as guests of shared channels do.
        package func isOnly(of tenant: String) -> Bool { tenants == [tenant] }
    }

    package let channel: String
    package let service: String
    package let content: Content
    /// Nil for what says nothing of that, and for what bots say.
    package let origin: Origin?
    /// Whether somebody waits for the answer itself.
    package let isInvoke: Bool

    /// - Returns: nil when it is no activity.
    package init?(_ bytes: [UInt8]) {
        guard let value = try? JSONParser.parse(bytes), let type = value["type"]?.string,
            let channel = value["channelId"]?.string, let service = value["serviceUrl"]?.string
        else { return nil }
        self.channel = channel
        self.service = service
        isInvoke = type == "invoke"
        origin = Origin(value)
        content =
            switch type {
            case "message": Self.press(value["value"]) ?? Self.words(value)
            case "invoke" where value["name"]?.string == "adaptiveCard/action":
                Self.press(value["value"]?["action"]) ?? .other
            default: .other
            }
    }

    /// `{"verb", "debate"}` of `Action.Submit`, or `{"verb", "data": {"debate"}}` of `Action.Execute`.
    private static func press(_ value: JSONValue?) -> Content? {
        guard let value, let verb = value["verb"]?.string,
            let debate = value["data"]?["debate"]?.string ?? value["debate"]?.string
        else { return nil }
        return .pressed(verb, debate: debate)
    }

    private static func words(_ value: JSONValue) -> Content {
        guard var text = value["text"]?.string else { return .other }
        for entity in value["entities"]?.array ?? [] where entity["type"]?.string == "mention" {
            guard let own = value["recipient"]?["id"]?.string, entity["mentioned"]?["id"]?.string == own,
                let words = entity["text"]?.string, !words.isEmpty
            else { continue }
            text = text.replacing(words, with: "")
        }
        return .said(TeamsMessage.plain(text))
    }
}

extension TeamsActivity.Origin {
    fileprivate init?(_ value: JSONValue) {
        guard let id = value["id"]?.string, let conversation = value["conversation"]?["id"]?.string,
            let sender = value["from"], let from = sender["id"]?.string, let bot = value["recipient"]?["id"]?.string,
            !from.hasPrefix("28:"), sender["role"]?.string != "bot"
        else { return nil }
        let user = sender["aadObjectId"]?.string ?? from
        let isShort = [id, conversation, user, bot].allSatisfy {
            (1...TeamsActivity.maximumID).contains($0.utf8.count)
        }
        guard isShort else { return nil }
        self.id = id
        self.conversation = conversation
        self.user = user
        self.bot = bot
        let named = [
            value["conversation"]?["tenantId"], value["channelData"]?["tenant"]?["id"], sender["tenantId"],
        ]
        tenants = Set(named.compactMap { $0 }.map { $0.string?.lowercased() ?? "" })
    }
}
