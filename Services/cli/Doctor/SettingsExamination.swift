import Contracts
import Platform
import ServiceKit

/// What the settings alone say: no store, file or network is touched.
struct SettingsExamination: Sendable {
    typealias Check = CommandReports.Check
    typealias Part = EnvironmentSurvey.Part

    let survey: EnvironmentSurvey

    /// Everything, for `doctor`.
    func all() -> [Check] {
        [environment()] + unusable() + [token(), encryptionKey(), jwtSecret(), receiptKey()].flatMap { $0 }
            + [distributedState(), serving(), passwords()].flatMap { $0 }
    }

    func environment() -> Check { Check("environment", .passed, "Environment: \(survey.environment.rawValue)") }

    /// Values that can not be used, and settings that must be there.
    func unusable() -> [Check] {
        let missing = survey.missing.map { name in
            Check.fault(.settingMissing, "settings", "\(name): required, but not set")
        }
        // What is missing is among these too, in the reader's words.
        let malformed = survey.malformed.filter { problem in !survey.missing.contains { problem.hasPrefix("\($0):") } }
        let all = missing + malformed.map { Check.fault(.settingMalformed, "settings", $0) }
        return all.isEmpty ? [] : all
    }

    func token() -> [Check] {
        part(.token, "api_token", good: { "API token: configured (\($0) characters)" }) {
            .note("api_token", "API token: not set, so that every request is allowed; production insists on one")
        }
    }

    func encryptionKey() -> [Check] {
        part(.encryptionKey, "encryption", good: { "Encryption key: configured (\($0 / 2) bytes)" }) {
            .note("encryption", "Encryption key: not set; nothing is encrypted with it yet")
        }
    }

    func jwtSecret() -> [Check] {
        part(.jwtSecret, "jwt_secret", good: { "JWT secret: configured (\($0) characters)" }) {
            .note("jwt_secret", "JWT secret: not set; there are no sessions yet")
        }
    }

    func receiptKey() -> [Check] {
        part(.receiptKey, "receipt_key", good: { "Receipt signing key: configured (\($0) characters)" }) {
            .note("receipt_key", "Receipt signing key: not set, so that receipts carry a checksum only")
        }
    }

    /// Whether several instances share their work, and can.
    func distributedState() -> [Check] {
        let faults = survey.faults(of: .redis).filter { $0.fault == .redisRequired }
        guard faults.isEmpty else { return checks(faults, "distributed_state") }
        guard survey.redis != nil else {
            return [.note("distributed_state", "Distributed state: no Redis; one instance of each service")]
        }
        return [Check("distributed_state", .passed, "Distributed state: shared through Redis")]
    }

    /// What browsers and proxies may.
    func serving() -> [Check] {
        let faults = survey.faults(of: .origins)
        guard faults.isEmpty else { return checks(faults, "serving") }
        return [Check("serving", .passed, "Origins, cookies and trusted proxies: closed to strangers")]
    }

    /// Placeholders in what names the stores and in providers' keys.
    func passwords() -> [Check] {
        let told = Set(
            ([.token, .encryptionKey, .jwtSecret, .receiptKey, .origins] as [Part]).flatMap {
                EnvironmentSurvey.names[$0, default: []]
            })
        let rest = survey.faults.filter { !told.contains($0.setting) && $0.fault != .redisRequired }
        return checks(rest, "passwords")
    }

    /// Whether anybody can answer a debate.
    func providers() -> Check {
        guard survey.providerNames.isEmpty else {
            return Check(
                "ai_providers", .passed, "AI provider: \(survey.providerNames.joined(separator: ", ")) configured")
        }
        guard survey.isProduction, !survey.allowsDemo else {
            return .note("ai_providers", "AI provider: none configured, the built-in demo agents answer")
        }
        return .fault(.providerMissing, "ai_providers", "AI provider: none configured")
    }

    private func part(
        _ part: Part, _ name: String, good: (Int) -> String, absent: () -> Check
    ) -> [Check] {
        let faults = survey.faults(of: part)
        guard faults.isEmpty else { return checks(faults, name) }
        return [survey.lengths[part].map { Check(name, .passed, good($0)) } ?? absent()]
    }

    private func checks(_ faults: [SettingFault], _ name: String) -> [Check] {
        faults.map { .fault($0, name, isProduction: survey.isProduction) }
    }
}
