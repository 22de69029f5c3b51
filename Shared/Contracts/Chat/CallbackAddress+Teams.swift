extension CallbackAddress {
    /// A conversation in Teams.
    package struct Teams: Sendable, Equatable {
        /// Where the Bot Connector takes messages for it.
        package let service: String
        /// In a channel it names the thread too.
        package let conversation: String
        /// What we are called there.
        package let bot: String
        package let question: String?

        package init(service: String, conversation: String, bot: String, question: String? = nil) {
            self.service = service
            self.conversation = conversation
            self.bot = bot
            self.question = question
        }

        /// - Returns: nil for what ``document`` did not make.
        package init?(_ document: [UInt8]) {
            guard let object = try? JSONParser.parse(document).object, let service = object["service"]?.string,
                let conversation = object["conversation"]?.string, let bot = object["bot"]?.string
            else { return nil }
            self.init(
                service: service, conversation: conversation, bot: bot, question: object["question"]?.string)
        }

        package var document: [UInt8] {
            CanonicalJSON.encode(
                [
                    "service": .string(service), "conversation": .string(conversation), "bot": .string(bot),
                    "question": .optional(question),
                ] as JSONValue)
        }
    }
}
