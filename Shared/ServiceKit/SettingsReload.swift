package import Platform

/// Reads the settings again: what SIGHUP does.
///
/// The environment of a process can not change, but the files can that `<NAME>_FILE` names. All of a reading holds or none
/// of it, so that a half-written set of secrets does no harm; but a file that is gone, or empty, keeps its last value.
package final class SettingsReload<Settings: ReloadableSettings>: Sendable {
    /// What a reload found. Nothing in it is secret.
    package struct Report: Sendable, Equatable {
        /// Names whose new values hold now.
        package var changed: [String] = []
        /// Files that could not be read, and what else is wrong; with the latter nothing was changed.
        package var problems: [String] = []
        /// What only a restart can change.
        package var waiting: [String] = []
        /// Whether what was read holds now.
        package var isApplied = true
    }

    package typealias Files = [String: SettingsReader.FileValue]

    private let settings: Settings
    private let lookup: @Sendable (String) -> String?
    private let readFile: @Sendable (String) -> String?
    private let read: @Sendable (inout SettingsReader) -> Settings
    private let files: Lock<Files>

    /// - Parameters:
    ///   - settings: those in force, read by `read`.
    ///   - files: what gave them.
    package init(
        _ settings: Settings, files: Files, lookup: @escaping @Sendable (String) -> String?,
        readFile: @escaping @Sendable (String) -> String?,
        read: @escaping @Sendable (inout SettingsReader) -> Settings
    ) {
        self.settings = settings
        self.files = Lock(files)
        self.lookup = lookup
        self.readFile = readFile
        self.read = read
    }

    /// Reads all files again and puts into force what they say. Blocks; one at a time.
    package func reload() -> Report {
        let known = files.withLock { $0 }
        let lost = Lock<[String]>([])
        var reader = SettingsReader(lookup: lookup) { [readFile] path in
            let content = readFile(path)
            if let content, !content.allSatisfy(\.isNewline) { return content }
            // Secrets are often replaced by a program that empties the file first.
            guard let last = known.values.first(where: { $0.path == path })?.value.reveal(), !last.isEmpty else {
                return content
            }
            lost.withLock { $0.append(path) }
            return last
        }
        let fresh = read(&reader)
        var report = Report()
        let unread = Set(lost.withLock { $0 })
        for (name, file) in known.sorted(by: { $0.key < $1.key }) where unread.contains(file.path) {
            report.problems.append(
                "\(name)_FILE: can not read \"\(file.path)\", or it is empty; the value before holds")
        }
        guard reader.problems.isEmpty else {
            report.problems += reader.problems
            report.isApplied = false
            return report
        }
        report.waiting = settings.adopt(fresh)
        sort(reader, known, into: &report)
        files.withLock { [now = reader.fileValues] in $0 = now }
        return report
    }

    /// Which names changed, and which of them hold already.
    private func sort(_ reader: SettingsReader, _ known: Files, into report: inout Report) {
        for (name, file) in reader.fileValues.sorted(by: { $0.key < $1.key })
        where known[name]?.value.reveal() != file.value.reveal() {
            let setting = reader.documented.first { $0.name == name || $0.aliases.contains(name) }
            guard setting?.kind == .secret else {
                report.waiting.append("\(name): only secrets are read again")
                continue
            }
            // A sentence names its setting before the colon.
            let isWaiting = report.waiting.contains { sentence in
                sentence.prefix { $0 != ":" }.contains(setting?.name ?? name)
            }
            if !isWaiting { report.changed.append(name) }
        }
    }
}
