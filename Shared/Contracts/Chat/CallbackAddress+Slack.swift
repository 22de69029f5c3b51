extension CallbackAddress {
    /// A conversation in Slack.
    package struct Slack: Sendable, Equatable {
        package let channel: String
        /// The message below which it goes on; nil until there is one.
        package var thread: String?
        /// Where a command may be answered for half an hour without being a member of the channel.
        package let responseURL: String?
        package let question: String?

        package init(channel: String, thread: String? = nil, responseURL: String? = nil, question: String? = nil) {
            self.channel = channel
            self.thread = thread
            self.responseURL = responseURL
            self.question = question
        }

        /// - Returns: nil for what ``document`` did not make.
        package init?(_ document: [UInt8]) {
            guard let object = try? JSONParser.parse(document).object, let channel = object["channel"]?.string
            else { return nil }
            self.init(
                channel: channel, thread: object["thread"]?.string, responseURL: object["response_url"]?.string,
                question: object["question"]?.string)
        }

        package var document: [UInt8] {
            CanonicalJSON.encode(
                [
                    "channel": .string(channel), "thread": .optional(thread), "response_url": .optional(responseURL),
                    "question": .optional(question),
                ] as JSONValue)
        }
    }
}
