import Foundation
import Platform
import TestSupport
import Testing

@testable import aragora

/// deploy/.env.template explains what the executables read, and deploy/docker-compose.production.yml hands it to them.
///
/// `WRITE_GOLDEN=1` writes the parts of both files that stand between `# <name …>` and `# </name>`.
@Suite("Deploy settings", .serialized)
struct DeploySettingsTests {
    private static let composePath = "deploy/docker-compose.production.yml"
    private static let templatePath = "deploy/.env.template"

    /// A service of the compose file that runs our executables.
    private struct Service {
        let name: String
        /// Whose settings it hands on: what it runs, and what people run inside it.
        let executables: [String]
        /// Read by these executables, and not handed on, with the reason.
        let withheld: [String: String]
    }

    private static let everywhere = [
        "ARAGORA_BIND_ADDRESS": "a container listens on all of its addresses",
        "ARAGORA_PID_FILE": "a container is one process",
        "ARAGORA_POSTGRES_DSN": "in x-stores", "ARAGORA_REDIS_URL": "in x-stores",
    ]
    private static let sessions = [
        "ARAGORA_JWT_SECRET": "it takes no requests of users; the API checks it for all",
        "ARAGORA_JWT_SECRET_PREVIOUS": "the same",
        "ARAGORA_ENCRYPTION_KEY": "the same", "ARAGORA_ENCRYPTION_KEY_PREVIOUS": "the same",
        "ARAGORA_COOKIE_SECURE": "the same",
    ]

    private static let services = [
        Service(
            name: "aragora", executables: ["aragora-api", "aragora"],
            withheld: [
                "ARAGORA_BASE_URL": "the default is the API beside it",
                "ARAGORA_WS_URL": "the default is the API beside it",
                "ARAGORA_CA_FILE": "no TLS inside the container",
                "ARAGORA_TOKEN_TTL": "an option of a command that a person types",
                "ARAGORA_BACKUP_DIR": "backups lie in the container `backup`",
                "BACKUP_RETENTION_DAYS": "backups lie in the container `backup`",
                "ARAGORA_DATA_DIR": "another name for ARAGORA_STORE_DIR, which the container fixes",
                "ARAGORA_TLS_CERT_FILE": "only nginx has the certificate",
                "ARAGORA_TLS_KEY_FILE": "only nginx has the key",
            ]),
        // It believes what the API signed: without the same secrets no user and no key of theirs is let in.
        Service(
            name: "ws-gateway", executables: ["aragora-ws-gateway"],
            withheld: ["ARAGORA_COOKIE_SECURE": "it sets no cookie"]),
        Service(
            name: "debate-worker", executables: ["aragora-debate-worker"],
            withheld: sessions.filter { !$0.key.contains("ENCRYPTION") }),
        Service(name: "backup", executables: ["aragora-backup"], withheld: sessions),
    ]

    /// Not in the template, with the reason.
    private static let internalSettings = [
        "ARAGORA_METRICS_PORT": "fixed in the compose file, since Prometheus looks there; a comment says so",
        "ARAGORA_WS_UPSTREAM": "the service's name in the compose file",
        "ARAGORA_STORE_DIR": "a folder in the image", "ARAGORA_DATA_DIR": "a folder in the image",
        "ARAGORA_BACKUP_DIR": "a folder in the image",
        "ARAGORA_BIND_ADDRESS": "not for containers", "ARAGORA_PID_FILE": "not for containers",
        "ARAGORA_BASE_URL": "for clients", "ARAGORA_WS_URL": "for clients", "ARAGORA_CA_FILE": "for clients",
        "ARAGORA_TOKEN_TTL": "for clients",
        "ARAGORA_TLS_CERT_FILE": "for a host without containers",
        "ARAGORA_TLS_KEY_FILE": "for a host without containers",
    ]

    /// What the template shows as the default where the code has another, with the reason.
    private static let otherDefaults = [
        "ARAGORA_ENV": "production: what is installed so is not a workbench",
        "ARAGORA_MIGRATE_ON_START": "true: there is no other step that would",
        "ARAGORA_DOMAIN": "an example, to be replaced",
    ]

    // MARK: Compose

    @Test("the compose file hands each service the settings that it reads, and no others", arguments: services.indices)
    func environment(_ index: Int) throws {
        let service = Self.services[index]
        let read = Self.settings(of: service.executables)
        let withheld = Self.everywhere.merging(service.withheld) { first, _ in first }
        let compose = try Self.text(Self.composePath)
        let written = try Self.variables(of: service.name, in: compose)
        for name in written where name != "DATABASE_URL" && name != "REDIS_URL" {
            #expect(
                read.contains { $0.name == name }, "\(service.name) is given \(name), which nothing in it reads")
        }
        for name in service.withheld.keys where !read.contains(where: { $0.name == name }) {
            Issue.record("\(service.name) does not read \(name): it need not be withheld")
        }
        let block = read.map(\.name).filter { withheld[$0] == nil && !written.contains($0) }
            .map { "      \($0): ${\($0):-}" }
        try Self.check("settings \(service.name)", of: Self.composePath, is: block)
    }

    /// The names in a service's environment that were written by hand: those in its block are left out.
    private static func variables(of service: String, in compose: String) throws -> Set<String> {
        let lines = compose.split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex(of: "  \(service):"))
        let end = lines[(start + 1)...].firstIndex { $0.hasPrefix("  ") && !$0.hasPrefix("   ") } ?? lines.endIndex
        let body = lines[start..<end]
        let environment = try #require(body.firstIndex(of: "    environment:"))
        var names: Set<String> = []
        var isGenerated = false
        for line in body[(environment + 1)...].prefix(while: { $0.hasPrefix("      ") }) {
            let text = line.trimmingPrefix("      ")
            if text.hasPrefix("# <settings") { isGenerated = true }
            if text.hasPrefix("# </settings") { isGenerated = false }
            guard !isGenerated, !text.hasPrefix("#"), !text.hasPrefix("<<"), let colon = text.firstIndex(of: ":") else {
                continue
            }
            names.insert(String(text[..<colon]))
        }
        return names
    }

    // MARK: Template

    @Test("the template explains every setting that an installation may change")
    func explained() throws {
        let byHand = Set(try Self.assignments(outside: "settings").map(\.name))
        var rest: [SettingDescription] = []
        for setting in Self.settings(of: [
            "aragora-api", "aragora-ws-gateway", "aragora-debate-worker", "aragora-backup", "aragora",
        ])
        where !byHand.contains(setting.name) && Self.internalSettings[setting.name] == nil {
            rest.append(setting)
        }
        let lines = rest.flatMap { setting in
            Self.comment(setting.help + Self.unit(setting.kind)) + ["#\(setting.name)=\(Self.value(setting.fallback))"]
        }
        try Self.check("settings", of: Self.templatePath, is: lines)
        for name in Self.internalSettings.keys {
            #expect(!byHand.contains(name), "\(name) is said to be internal, and is in the template")
        }
    }

    @Test("the template shows the defaults of the code")
    func defaults() throws {
        let all = Self.settings(of: Self.services.flatMap(\.executables))
        let shown = try Self.assignments(outside: "settings")
        for (name, value) in shown {
            guard let setting = all.first(where: { $0.name == name }), value != "CHANGEME", !value.isEmpty else {
                continue
            }
            let same = value == Self.value(setting.fallback)
            if let reason = Self.otherDefaults[name] {
                #expect(!same, "\(name) has the code's default after all (\(reason))")
            } else {
                #expect(same, "\(name) is \(value) in the template, \(Self.value(setting.fallback)) in the code")
            }
        }
        for name in Self.otherDefaults.keys where !shown.contains(where: { $0.name == name }) {
            Issue.record("\(name) is not in the template by hand")
        }
    }

    @Test("the template names what the documents name and nothing reads")
    func unread() throws {
        try Self.check(
            "unread", of: Self.templatePath,
            is: DocumentedSettings.table.map { name, meaning in
                "#   \(name.padding(toLength: 28, withPad: " ", startingAt: 0)) \(meaning.replacing("`", with: ""))"
            })
    }

    /// Every `NAME=value` of the template, commented out or not, but for those in the generated section.
    private static func assignments(outside section: String) throws -> [(name: String, value: String)] {
        var found: [(name: String, value: String)] = []
        var isGenerated = false
        for line in try text(templatePath).split(separator: "\n") {
            if line.hasPrefix("# <\(section)>") { isGenerated = true }
            if line.hasPrefix("# </\(section)>") { isGenerated = false }
            let text = line.trimmingPrefix("#")
            guard !isGenerated, let equals = text.firstIndex(of: "="),
                text[..<equals].allSatisfy({ $0.isUppercase || $0.isNumber || $0 == "_" })
            else { continue }
            found.append((String(text[..<equals]), String(text[text.index(after: equals)...])))
        }
        return found
    }

    /// A sentence as comment lines of at most 120 characters.
    private static func comment(_ sentence: String) -> [String] {
        var lines = ["#"]
        for word in sentence.replacing("`", with: "").split(separator: " ") {
            if lines[lines.count - 1].count + word.count + 1 > 120 { lines.append("#") }
            lines[lines.count - 1] += " " + word
        }
        return lines
    }

    private static func unit(_ kind: SettingDescription.Kind) -> String {
        if case .seconds = kind { " In seconds." } else { "" }
    }

    private static func value(_ fallback: SettingDescription.Fallback) -> String {
        if case .value(let text) = fallback { text } else { "" }
    }

    // MARK: Both

    /// What executables read, each name once, in the order of the first that reads it.
    private static func settings(of executables: [String]) -> [SettingDescription] {
        let catalogue = ConfigurationDocumentTests.catalogue()
        var seen: Set<String> = []
        return executables.flatMap { name in catalogue.first { $0.executable == name }?.settings ?? [] }
            .filter { seen.insert($0.name).inserted }
    }

    private static func url(_ path: String) -> URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: path)
    }

    private static func text(_ path: String) throws -> String { try String(contentsOf: url(path), encoding: .utf8) }

    /// Expects that the lines between a `# <name` and the next `# </` are these; writes them with `WRITE_GOLDEN=1`.
    private static func check(
        _ name: String, of path: String, is lines: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var document = try text(path).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let start = try #require(
            document.firstIndex { $0.trimmingPrefix(while: \.isWhitespace).hasPrefix("# <\(name)> ") },
            "\(path) lacks the mark of \(name)", sourceLocation: sourceLocation)
        let end = try #require(
            document[start...].firstIndex { $0.trimmingPrefix(while: \.isWhitespace).hasPrefix("# </") },
            "\(path): \(name) has no end", sourceLocation: sourceLocation)
        guard Array(document[(start + 1)..<end]) != lines else { return }
        if ProcessInfo.processInfo.environment["WRITE_GOLDEN"] == "1" {
            document.replaceSubrange((start + 1)..<end, with: lines)
            try document.joined(separator: "\n").write(to: url(path), atomically: true, encoding: .utf8)
        } else {
            let (had, wanted) = (Set(document[(start + 1)..<end]), Set(lines))
            Issue.record(
                """
                \(path), section \(name), differs; WRITE_GOLDEN=1 swift test --filter DeploySettingsTests writes it.
                too much: \(had.subtracting(wanted).sorted())
                missing: \(wanted.subtracting(had).sorted())
                """, sourceLocation: sourceLocation)
        }
    }
}
