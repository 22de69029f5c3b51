import Foundation
import Platform
import ServiceKit
import TestSupport
import Testing

@testable import aragora
@testable import aragora_api
@testable import aragora_backup
@testable import aragora_debate_worker
@testable import aragora_ws_gateway

/// docs/configuration.md is what the settings types read.
// One after the other: with WRITE_GOLDEN=1 all of them write the same file.
@Suite("Configuration document", .serialized)
struct ConfigurationDocumentTests {
    /// A setting as one line of the table, and who reads it so.
    private struct Entry {
        let setting: SettingDescription
        var readers: [String]
    }

    private static let commandLine = "aragora"

    /// What each executable reads when nothing is set.
    static func catalogue() -> [(executable: String, settings: [SettingDescription])] {
        services() + [(commandLine, commands())]
    }

    private static func services() -> [(executable: String, settings: [SettingDescription])] {
        [
            ("aragora-api", read { _ = APISettings(reading: &$0, common: $1) }),
            ("aragora-ws-gateway", read { _ = GatewaySettings(reading: &$0, common: $1) }),
            ("aragora-debate-worker", read { _ = WorkerSettings(reading: &$0, common: $1) }),
            ("aragora-backup", read { reader, _ in _ = BackupSettings(reading: &reader) }),
        ]
    }

    /// What the commands ask for, and what `validate-env` and `doctor` look at that nobody else reads.
    private static func commands() -> [SettingDescription] {
        let found = Lock<[SettingDescription]>([])
        let settings = CLISettings(lookup: { _ in nil }, onRead: { read in found.withLock { $0 += read } })
        let questions: [() throws -> Any?] = [
            settings.webSocketURL, settings.apiToken, settings.tokenTTL, settings.caFile, settings.receiptKeys,
            settings.postgres, settings.redis,
            settings.backupFolder, settings.retention,
        ]
        for ask in questions { _ = try? ask() }  // what is required is missing
        let asked = found.withLock { $0 }
        let known = Set((asked + services().flatMap(\.settings)).map(\.name))
        return asked + settings.survey().documented.filter { !known.contains($0.name) }
    }

    private static func read(_ settings: (inout SettingsReader, CommonSettings) -> Void) -> [SettingDescription] {
        var reader = SettingsReader(lookup: { _ in nil })
        let common = CommonSettings(reading: &reader, processors: 4)
        settings(&reader, common)
        return reader.documented
    }

    @Test("every setting says what it does, in a sentence")
    func help() {
        for (executable, settings) in Self.catalogue() {
            for setting in settings {
                #expect(setting.help.hasSuffix("."), "\(executable) reads \(setting.name) without saying what for")
            }
        }
    }

    @Test("no executable reads a setting twice")
    func once() {
        for (executable, settings) in Self.catalogue() {
            let names = settings.map(\.name)
            #expect(
                Set(names).count == names.count,
                "\(executable): \(names.filter { name in names.count { $0 == name } > 1 })")
        }
    }

    @Test("the document lists what is read, by whom, with default and range")
    func document() throws {
        try GeneratedSection.check("settings", of: "docs/configuration.md", is: Self.sections())
    }

    @Test("names that are only accepted are listed, and really read by nobody")
    func accepted() throws {
        let read = Set(Self.catalogue().flatMap(\.settings).flatMap { [$0.name] + $0.aliases })
        for (name, _) in DocumentedSettings.table { #expect(!read.contains(name), "\(name) is read") }
        let rows = DocumentedSettings.table.map { ["`\($0.name)`", $0.meaning] }
        try GeneratedSection.check(
            "documented", of: "docs/configuration.md", is: GeneratedSection.table(["Name", "Instead"], rows))
    }

    /// One table per set of readers, the widest first.
    private static func sections() -> String {
        let catalogue = catalogue()
        var entries: [Entry] = []
        for (executable, settings) in catalogue {
            for setting in settings {
                if let index = entries.firstIndex(where: { $0.setting == setting }) {
                    entries[index].readers.append(executable)
                } else {
                    entries.append(Entry(setting: setting, readers: [executable]))
                }
            }
        }
        let groups = Dictionary(grouping: entries, by: \.readers).sorted { left, right in
            (right.key.count, left.key.joined()) < (left.key.count, right.key.joined())
        }
        return groups.map { readers, entries in
            let everyone = readers == services().map(\.executable)
            let title = everyone ? "every service" : readers.map { "`\($0)`" }.joined(separator: ", ")
            return "### Read by \(title)\n\n" + table(entries.map(\.setting))
        }.joined(separator: "\n\n")
    }

    private static func table(_ settings: [SettingDescription]) -> String {
        GeneratedSection.table(
            ["Name", "Value", "Default", "Meaning"],
            settings.map { [name($0), value($0.kind), fallback($0.fallback), $0.help] })
    }

    private static func name(_ setting: SettingDescription) -> String {
        let alias = setting.aliases.isEmpty ? "" : ", or " + setting.aliases.map { "`\($0)`" }.joined(separator: ", ")
        return "`\(setting.name)`" + alias
    }

    private static func value(_ kind: SettingDescription.Kind) -> String {
        switch kind {
        case .text: "text"
        case .secret: "secret"
        case .bool: "`true`, `false`"
        case .int(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .seconds(let range): "seconds, \(range.lowerBound) to \(range.upperBound)"
        case .share(let range): "share, \(range.lowerBound) to \(range.upperBound)"
        case .oneOf(let choices): choices.map { "`\($0)`" }.joined(separator: ", ")
        }
    }

    private static func fallback(_ fallback: SettingDescription.Fallback) -> String {
        switch fallback {
        case .required: "required"
        case .none: ""
        case .value(let text): "`\(text)`"
        }
    }
}
