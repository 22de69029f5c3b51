/// Where the one who asked for a debate is told of its end, as it is sealed: a JSON object for each channel.
package enum CallbackAddress {
    /// An address that was named when the debate was asked for.
    package struct Webhook: Sendable {
        package let secret: [UInt8]
        package let headers: [(name: String, value: String)]

        package init(secret: [UInt8], headers: [(name: String, value: String)]) {
            self.secret = secret
            self.headers = headers
        }

        /// - Returns: nil for what ``document`` did not make.
        package init?(_ document: [UInt8]) {
            guard let object = try? JSONParser.parse(document).object,
                let numbers = object["secret"]?.array?.map(\.int), numbers.allSatisfy({ $0 != nil }),
                let headers = object["headers"]?.object
            else { return nil }
            secret = numbers.compactMap { $0.flatMap { UInt8(exactly: $0) } }
            self.headers = headers.members.compactMap { member in
                member.value.string.map { (name: member.key, value: $0) }
            }
        }

        package var document: [UInt8] {
            CanonicalJSON.encode(
                [
                    "secret": .array(secret.map { .int(Int64($0)) }),
                    "headers": .object(JSONObject(headers.map { ($0.name, .string($0.value)) })),
                ] as JSONValue)
        }
    }
}
