import FoundationEssentials

/// Reads named settings and remembers every problem, so that one start shows all of them.
///
/// Every read says in one sentence, `help`, what the setting does; docs/configuration.md is made of these. For every
/// name, `<NAME>_FILE` may give a file that holds the value (Docker and Kubernetes secrets).
package struct SettingsReader {
    private let lookup: (String) -> String?
    private let readFile: (String) -> String?
    /// Values that can not be used, one sentence each.
    package private(set) var malformed: [String] = []
    /// Required settings that are not there.
    package private(set) var missing: [String] = []
    /// What should not be so in production.
    package private(set) var faults: [SettingFault] = []
    /// Whether a fault is a problem: in production. Set before what is read next.
    package var isStrict = false
    /// What keeps the process from starting, one sentence each, without the value of any secret.
    package var problems: [String] {
        malformed + (isStrict ? faults.filter { $0.fault.weight == .broken }.map(\.sentence) : [])
    }
    /// What an operator should hear, and nothing more; empty outside production.
    package var advice: [String] { isStrict ? faults.filter { $0.fault.weight == .advice }.map(\.sentence) : [] }
    /// Which alias was used for which name, for one log line at start.
    package private(set) var aliasesUsed: [String] = []
    /// What was asked for, in the order of reading: every setting of what read itself from here, set or not.
    package private(set) var documented: [SettingDescription] = []
    /// What came out of a file, by the name it was read under.
    package private(set) var fileValues: [String: FileValue] = [:]

    /// A value that `<NAME>_FILE` gave.
    package struct FileValue: Sendable {
        package let path: String
        /// Empty when the file is.
        package let value: Secret<String>
    }

    package init(
        lookup: @escaping (String) -> String?,
        readFile: @escaping (String) -> String? = SettingsReader.content
    ) {
        self.lookup = lookup
        self.readFile = readFile
    }

    /// What a file holds; nil when it can not be read, or is not UTF-8.
    @Sendable package static func content(of path: String) -> String? {
        try? String(contentsOfFile: path, encoding: .utf8)
    }

    /// The value of `name`, or of the first alias that is set. Empty counts as not set.
    package mutating func optionalString(_ name: String, aliases: [String] = [], help: String = "") -> String? {
        note(name, aliases, .text, .none, help)
        return value(of: name, aliases)
    }

    package mutating func string(
        _ name: String, aliases: [String] = [], default fallback: String, help: String = ""
    ) -> String {
        note(name, aliases, .text, fallback.isEmpty ? .none : .value(fallback), help)
        return value(of: name, aliases) ?? fallback
    }

    /// A value that must be there; the problem names it.
    package mutating func requiredString(_ name: String, aliases: [String] = [], help: String = "") -> String {
        note(name, aliases, .text, .required, help)
        return required(name, aliases)
    }

    package mutating func secret(_ name: String, aliases: [String] = [], help: String = "") -> Secret<String>? {
        note(name, aliases, .secret, .none, help)
        return value(of: name, aliases).map(Secret.init)
    }

    package mutating func requiredSecret(_ name: String, aliases: [String] = [], help: String = "") -> Secret<String> {
        note(name, aliases, .secret, .required, help)
        return Secret(required(name, aliases))
    }

    package mutating func int(
        _ name: String, default fallback: Int, in range: ClosedRange<Int>, help: String = ""
    ) -> Int {
        note(name, [], .int(range), .value(String(fallback)), help)
        return number(name, fallback, range)
    }

    package mutating func bool(_ name: String, default fallback: Bool, help: String = "") -> Bool {
        note(name, [], .bool, .value(String(fallback)), help)
        guard let text = value(of: name) else { return fallback }
        switch text.lowercased() {
        case "1", "true", "yes", "on": return true
        case "0", "false", "no", "off": return false
        default:
            malformed.append("\(name): expected true or false, got \"\(text)\"")
            return fallback
        }
    }

    /// Whole seconds.
    package mutating func seconds(
        _ name: String, default fallback: Int, in range: ClosedRange<Int>, help: String = ""
    ) -> Duration {
        note(name, [], .seconds(range), .value(String(fallback)), help)
        return .seconds(number(name, fallback, range))
    }

    /// A part of a whole, such as 0.95.
    package mutating func share(
        _ name: String, default fallback: Double, in range: ClosedRange<Double>, help: String = ""
    ) -> Double {
        note(name, [], .share(range), .value("\(fallback)"), help)
        guard let text = value(of: name) else { return fallback }
        guard let value = Double(text), range.contains(value) else {
            malformed.append(
                "\(name): expected a share from \(range.lowerBound) to \(range.upperBound), got \"\(text)\"")
            return fallback
        }
        return value
    }

    package mutating func oneOf(
        _ name: String, _ allowed: [String], default fallback: String, help: String = ""
    ) -> String {
        note(name, [], .oneOf(allowed), .value(fallback), help)
        guard let text = value(of: name) else { return fallback }
        guard allowed.contains(text.lowercased()) else {
            malformed.append("\(name): expected one of \(allowed.joined(separator: ", ")), got \"\(text)\"")
            return fallback
        }
        return text.lowercased()
    }

    /// Adds a problem that a setting has in the light of another one.
    package mutating func report(_ problem: String) { malformed.append(problem) }

    /// Adds what should not be so in production.
    package mutating func refuse(_ fault: SettingFault) { faults.append(fault) }

    private mutating func note(
        _ name: String, _ aliases: [String], _ kind: SettingDescription.Kind, _ fallback: SettingDescription.Fallback,
        _ help: String
    ) {
        documented.append(SettingDescription(name: name, aliases: aliases, kind: kind, fallback: fallback, help: help))
    }

    private mutating func value(of name: String, _ aliases: [String] = []) -> String? {
        for candidate in [name] + aliases {
            guard let value = raw(candidate) else { continue }
            if candidate != name { aliasesUsed.append("\(candidate) is used as \(name)") }
            return value
        }
        return nil
    }

    private mutating func required(_ name: String, _ aliases: [String]) -> String {
        if let value = value(of: name, aliases) { return value }
        malformed.append("\(name): required, but not set")
        missing.append(name)
        return ""
    }

    private mutating func number(_ name: String, _ fallback: Int, _ range: ClosedRange<Int>) -> Int {
        guard let text = value(of: name) else { return fallback }
        guard let value = Int(text), range.contains(value) else {
            malformed.append(
                "\(name): expected a whole number from \(range.lowerBound) to \(range.upperBound), got \"\(text)\"")
            return fallback
        }
        return value
    }

    private mutating func raw(_ name: String) -> String? {
        if let value = lookup(name), !value.isEmpty { return value }
        guard let path = lookup(name + "_FILE"), !path.isEmpty else { return nil }
        guard let content = readFile(path) else {
            malformed.append("\(name)_FILE: can not read \"\(path)\"")
            return nil
        }
        let trimmed = content.trimmingSuffix { $0 == "\n" || $0 == "\r" }
        fileValues[name] = FileValue(path: path, value: Secret(String(trimmed)))
        return trimmed.isEmpty ? nil : String(trimmed)
    }
}

extension String {
    fileprivate func trimmingSuffix(_ drop: (Character) -> Bool) -> Substring {
        var view = self[...]
        while let last = view.last, drop(last) || last == "\r\n" { view.removeLast() }
        return view
    }
}
