package import HTTPClient
package import Platform

/// Where webhooks may be sent, and with what Slack and Teams are written to.
package struct WebhookSettings: Sendable {
    package let addresses: AddressPolicy
    package let chat: ChatSettings

    package init(reading reader: inout SettingsReader) {
        let name = "ARAGORA_WEBHOOK_ALLOWED_ADDRESSES"
        let text = reader.optionalString(
            name,
            help:
                "Addresses and ranges that webhooks may be sent to although they are not public, separated by commas: `10.1.0.0/16, fd00::5`."
        )
        var allowed: [AddressRange] = []
        for part in (text ?? "").split(separator: ",") {
            let word = String(part.filter { $0 != " " })
            if let range = AddressRange(word) {
                allowed.append(range)
            } else {
                reader.report("\(name): \"\(word)\" is no address and no range")
            }
        }
        addresses = AddressPolicy(allowed: allowed)
        chat = ChatSettings(reading: &reader)
    }
}
