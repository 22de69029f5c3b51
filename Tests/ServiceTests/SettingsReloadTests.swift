import Platform
import Testing

@testable import ServiceKit

@Suite("Settings that are read again")
struct SettingsReloadTests {
    struct Sample: ReloadableSettings {
        let token: Reloadable<String?>
        let level: String

        init(reading reader: inout SettingsReader) {
            token = Reloadable(reader.secret("TOKEN", aliases: ["OLD_TOKEN"])?.reveal())
            level = reader.oneOf("LEVEL", ["low", "high"], default: "low")
            if token.current == "forbidden" { reader.report("TOKEN: is forbidden") }
        }

        func adopt(_ fresh: Sample) -> [String] {
            if fresh.token.current == "later" { return ["TOKEN: not now"] }
            token.replace(with: fresh.token.current)
            return []
        }
    }

    /// A process with settings from files, which a test may change.
    struct Process {
        let files: Lock<[String: String]>
        let settings: Sample
        let reload: SettingsReload<Sample>

        init(_ variables: [String: String], files initial: [String: String]) {
            let files = Lock(initial)
            let readFile: @Sendable (String) -> String? = { path in files.withLock { $0[path] } }
            let lookup: @Sendable (String) -> String? = { variables[$0] }
            var reader = SettingsReader(lookup: lookup, readFile: readFile)
            self.files = files
            settings = Sample(reading: &reader)
            reload = SettingsReload(
                settings, files: reader.fileValues, lookup: lookup, readFile: readFile,
                read: { Sample(reading: &$0) })
        }

        func set(_ path: String, _ content: String?) { files.withLock { $0[path] = content } }
    }

    @Test("take over a secret that changed, and name it")
    func changed() {
        let process = Process(["TOKEN_FILE": "/t"], files: ["/t": "one\n"])
        #expect(process.reload.reload() == .init())
        process.set("/t", "two\n")
        #expect(process.reload.reload() == .init(changed: ["TOKEN"]))
        #expect(process.settings.token.current == "two")
        #expect(process.reload.reload() == .init())
    }

    @Test("name the alias under which the file was given")
    func alias() {
        let process = Process(["OLD_TOKEN_FILE": "/t"], files: ["/t": "one"])
        process.set("/t", "two")
        #expect(process.reload.reload().changed == ["OLD_TOKEN"])
    }

    @Test("keep the value of a file that is gone or empty, and say so", arguments: [nil, "", "\n"] as [String?])
    func lost(content: String?) {
        let process = Process(["TOKEN_FILE": "/t"], files: ["/t": "one"])
        process.set("/t", content)
        let report = process.reload.reload()
        #expect(report.problems == ["TOKEN_FILE: can not read \"/t\", or it is empty; the value before holds"])
        #expect(report.changed.isEmpty && report.isApplied)
        #expect(process.settings.token.current == "one")
        process.set("/t", "two")
        #expect(process.reload.reload() == .init(changed: ["TOKEN"]))
        #expect(process.settings.token.current == "two")
    }

    @Test("take a secret whose file was empty at start")
    func filled() {
        let process = Process(["TOKEN_FILE": "/t"], files: ["/t": ""])
        #expect(process.reload.reload() == .init())
        process.set("/t", "one")
        #expect(process.reload.reload() == .init(changed: ["TOKEN"]))
        #expect(process.settings.token.current == "one")
    }

    @Test("change nothing when anything is wrong")
    func problem() {
        let process = Process(["TOKEN_FILE": "/t"], files: ["/t": "one"])
        process.set("/t", "forbidden")
        #expect(process.reload.reload() == .init(problems: ["TOKEN: is forbidden"], isApplied: false))
        #expect(process.settings.token.current == "one")
        process.set("/t", "two")
        #expect(process.reload.reload().changed == ["TOKEN"])
    }

    @Test("say what waits for a restart")
    func waiting() {
        let process = Process(["TOKEN_FILE": "/t", "LEVEL_FILE": "/l"], files: ["/t": "one", "/l": "low"])
        process.set("/l", "high")
        #expect(process.reload.reload() == .init(waiting: ["LEVEL: only secrets are read again"]))
        process.set("/t", "later")
        #expect(process.reload.reload() == .init(waiting: ["TOKEN: not now"]))
        #expect(process.settings.token.current == "one")
    }

    @Test("hold what is set directly, whatever a file says")
    func direct() {
        let process = Process(["TOKEN": "fixed", "TOKEN_FILE": "/t"], files: ["/t": "one"])
        process.set("/t", "two")
        #expect(process.reload.reload() == .init())
        #expect(process.settings.token.current == "fixed")
    }
}
