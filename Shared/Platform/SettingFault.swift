/// A setting that could be used, and should not be in production.
package struct SettingFault: Sendable, Equatable {
    package let fault: Fault
    /// The environment name.
    package let setting: String
    /// What is wrong with it, without its value.
    package let reason: String

    package init(_ fault: Fault, _ setting: String, _ reason: String) {
        self.fault = fault
        self.setting = setting
        self.reason = reason
    }

    /// For one log line.
    package var sentence: String { "\(setting): \(reason); \(fault.fix) [\(fault.code)]" }
}

extension SettingsReader {
    /// Characters below which a secret can be guessed, whoever made it.
    package static let minimumSecretCharacters = 32

    /// A secret that protects something: no placeholder, and long enough.
    package mutating func requireStrength(of secret: Secret<String>?, _ setting: String, otherwise short: Fault) {
        guard let secret, !refusePlaceholder(secret, setting) else { return }
        let count = secret.reveal().count
        guard count < Self.minimumSecretCharacters else { return }
        refuse(SettingFault(short, setting, "has \(count) characters, needs \(Self.minimumSecretCharacters) or more"))
    }

    /// A secret somebody else made, such as a provider's key: only that it is no placeholder.
    /// - Returns: whether it is one.
    @discardableResult
    package mutating func refusePlaceholder(_ secret: Secret<String>?, _ setting: String) -> Bool {
        guard let secret, secret.isPlaceholder else { return false }
        refuse(SettingFault(.secretPlaceholder, setting, "is still the placeholder of a template"))
        return true
    }
}

extension Secret<String> {
    /// Whether it is the text of a template rather than a secret.
    package var isPlaceholder: Bool {
        let text = reveal().uppercased()
        let marks = ["CHANGEME", "CHANGE_ME", "CHANGE-ME", "REPLACEME", "REPLACE_ME", "REPLACE-ME", "PLACEHOLDER"]
        if marks.contains(where: text.contains) { return true }
        if text.hasPrefix("<") && text.hasSuffix(">") { return true }
        return ["YOUR_", "YOUR-", "SK-YOUR", "SK-ANT-YOUR", "SK-...", "SK-ANT-..."].contains(where: text.hasPrefix)
    }
}
