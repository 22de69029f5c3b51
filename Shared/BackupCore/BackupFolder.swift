package import Contracts
import Glibc

/// The folder of verified backups. A dump under its final name has been proved and has a manifest beside it; all else
/// that bears our name is what a killed run left.
///
/// Every method blocks on the disk: call it on the `BlockingExecutor`.
package struct BackupFolder: Sendable {
    /// The link to the newest verified backup.
    package static let latest = "latest"
    /// Entries of the folder that are looked at.
    static let maxEntries = 100_000
    static let permissions: mode_t = 0o700

    package let path: String

    package init(path: String) { self.path = path }

    /// A verified backup.
    package struct Entry: Sendable {
        package let name: BackupName
        package let manifest: BackupManifest
    }

    /// Makes the folder, for its owner only, if it is not there, and shows that it can be written.
    /// - Throws: ``BackupError`` `.files`.
    package func prepare() throws {
        if mkdir(path, Self.permissions) != 0 && errno != EEXIST { throw BackupError.file("make", path) }
        guard access(path, R_OK | W_OK | X_OK) == 0 else { throw BackupError.file("write to", path) }
    }

    /// The verified backups, newest first.
    /// - Throws: ``BackupError`` `.files`.
    package func entries() throws -> [Entry] {
        let files = Set(try names())
        return files.compactMap { BackupName(file: $0) }.sorted(by: >).compactMap { name in
            guard files.contains(name.manifest), let manifest = try? manifest(of: name) else { return nil }
            return Entry(name: name, manifest: manifest)
        }
    }

    /// The manifest beside a dump.
    /// - Throws: ``BackupError`` `.files` without one, `.damaged` when it can not be understood.
    package func manifest(of name: BackupName) throws -> BackupManifest {
        let bytes = try InputFile(path: file(name.manifest)).read(BackupManifest.maximumBytes)
        let manifest: BackupManifest
        do throws(ContractError) {
            manifest = try BackupManifest(bytes)
        } catch {
            throw BackupError(.damaged, "\(name.manifest): \(error.message)")
        }
        guard manifest.file == name.file else {
            throw BackupError(.damaged, "\(name.manifest) is about \(manifest.file)")
        }
        return manifest
    }

    /// A name that is free, at `second` or just after.
    func freeName(from second: Int64) -> BackupName {
        var name = BackupName(second: second)
        while access(file(name.file), F_OK) == 0 || access(file(name.partial), F_OK) == 0 {
            name = BackupName(second: name.second + 1)
        }
        return name
    }

    /// Gives a proved dump its name. The manifest comes first: a dump with its final name always has one.
    func publish(_ name: BackupName, _ manifest: BackupManifest) throws {
        try replace(name.manifest, with: manifest.encode())
        try rename(name.partial, name.file)
        try relink(to: name)
        try syncFolder()
    }

    /// Removes a dump, then its manifest.
    func remove(_ name: BackupName) throws {
        try unlink(name.file)
        try unlink(name.manifest)
    }

    func removePartial(_ name: BackupName) throws { try unlink(name.partial) }

    /// Removes what killed runs left: partial files, and manifests whose dump never got its name.
    /// - Returns: the names removed.
    func removeLeftovers() throws -> [String] {
        let files = try names()
        let present = Set(files)
        let leftovers = files.filter { file in
            guard file.hasPrefix(BackupName.prefix) else { return false }
            if file.hasSuffix(BackupName.partialSuffix) { return true }
            guard file.hasSuffix(BackupName.manifestSuffix) else { return false }
            let dump = file.dropLast(BackupName.manifestSuffix.count) + BackupName.suffix
            return BackupName(file: String(dump)) != nil && !present.contains(String(dump))
        }
        for file in leftovers { try unlink(file) }
        return leftovers
    }

    /// The path of a file in this folder.
    package func file(_ name: String) -> String { path + "/" + name }

    // MARK: Steps

    private func names() throws -> [String] {
        guard let folder = opendir(path) else { throw BackupError.file("list", path) }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder), names.count < Self.maxEntries {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names.sorted()
    }

    private func replace(_ name: String, with bytes: [UInt8]) throws {
        let partial = name + BackupName.partialSuffix
        try unlink(partial)
        let output = try OutputFile(path: file(partial))
        try output.write(bytes)
        try output.sync()
        try rename(partial, name)
    }

    private func rename(_ old: String, _ new: String) throws {
        guard Glibc.rename(file(old), file(new)) == 0 else { throw BackupError.file("rename to", file(new)) }
    }

    private func relink(to name: BackupName) throws {
        let partial = Self.latest + BackupName.partialSuffix
        try unlink(partial)
        guard symlink(name.file, file(partial)) == 0 else { throw BackupError.file("link", file(Self.latest)) }
        try rename(partial, Self.latest)
    }

    private func unlink(_ name: String) throws {
        guard Glibc.unlink(file(name)) == 0 || errno == ENOENT else { throw BackupError.file("remove", file(name)) }
    }

    /// Names live in the folder: without this, a power cut may take one back.
    private func syncFolder() throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw BackupError.file("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw BackupError.file("sync", path) }
    }
}
