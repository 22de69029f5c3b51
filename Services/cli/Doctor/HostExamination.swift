import Contracts
import Glibc
import Platform

/// Looks at this machine, or container: disks, folders, limits. Blocks.
struct HostExamination: Sendable {
    typealias Check = CommandReports.Check

    /// Of a file system, used or kept back.
    static let fullPercent = 90
    static let minimumDescriptors: UInt = 4096

    let folders: [(setting: String, path: String)]

    func examine() -> [Check] {
        var checks: [Check] = []
        var disks: Set<UInt> = []
        for (setting, path) in folders {
            guard let device = Self.device(of: path) else {
                checks.append(.fault(.folderMissing, "folder_\(setting)", "\(setting): \(path) does not exist"))
                continue
            }
            if access(path, W_OK | X_OK) != 0 {
                let reason = String(cString: strerror(errno))
                checks.append(.fault(.folderReadOnly, "folder_\(setting)", "\(setting): \(path): \(reason)"))
            }
            if disks.insert(device).inserted, let disk = Self.disk(path) { checks.append(disk) }
        }
        return checks + [descriptors()]
    }

    private static func device(of path: String) -> UInt? {
        var status = stat()
        return stat(path, &status) == 0 ? UInt(status.st_dev) : nil
    }

    /// As df counts: what only root may use is not free.
    private static func disk(_ path: String) -> Check? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        let used = Double(status.f_blocks) - Double(status.f_bfree)
        let all = used + Double(status.f_bavail)
        guard all > 0 else { return nil }
        let percent = Int((used / all * 100).rounded(.up))
        let freeMegabytes = Int(Double(status.f_bavail) * Double(status.f_frsize) / 1_048_576)
        let words = "disk of \(path): \(percent) % used, \(freeMegabytes) MB free"
        return percent >= fullPercent ? .fault(.diskFull, "disk_\(path)", words) : Check("disk_\(path)", .passed, words)
    }

    // MARK: Descriptors

    /// Of the services that run here; of this process, when none can be seen.
    private func descriptors() -> Check {
        let services = Self.services()
        let (who, limit) = services.min { $0.limit < $1.limit } ?? ("this process", Self.ownLimit())
        let words = "file descriptors: \(who) may open \(limit)"
        return limit < Self.minimumDescriptors
            ? .fault(.descriptorsFew, "descriptors", words) : Check("descriptors", .passed, words)
    }

    private static func ownLimit() -> UInt {
        var limit = rlimit()
        return getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? UInt(limit.rlim_cur) : .max
    }

    private static func services() -> [(name: String, limit: UInt)] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var found: [(name: String, limit: UInt)] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard Int(name) != nil, let service = text("/proc/\(name)/comm"), service.hasPrefix("aragora-") else {
                continue
            }
            let line = text("/proc/\(name)/limits")?.split(separator: "\n").first { $0.hasPrefix("Max open files") }
            guard let soft = line?.split(separator: " ").dropFirst(3).first.flatMap({ UInt($0) }) else { continue }
            found.append((service.trimmingPrefix(" ").split(separator: "\n").first.map(String.init) ?? service, soft))
        }
        return found
    }

    private static func text(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
