import Glibc

/// What a process has used so far, from /proc.
enum ProcessSample {

    private static let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))

    /// One process; 0 when it is gone.
    static func cpu(of pid: Int32) -> Double { stat(of: pid).map { Double($0.own) / ticksPerSecond } ?? 0 }

    /// A process, its living children and those it has waited for: a Postgres with all its backends.
    static func cpuWithChildren(of pid: Int32) -> Double {
        guard let parent = stat(of: pid) else { return 0 }
        let children = children(of: pid).compactMap { stat(of: $0)?.own }.reduce(0, +)
        return Double(parent.own + parent.waitedFor + children) / ticksPerSecond
    }

    static func children(of pid: Int32) -> [Int32] {
        TextFile.read("/proc/\(pid)/task/\(pid)/children").split(separator: " ").compactMap { Int32($0) }
    }

    /// Resident memory in bytes.
    static func residentBytes(of pid: Int32) -> Double { field("VmRSS:", of: pid) }

    /// Resident memory that no other process maps: what one more of these costs. In bytes.
    static func anonymousBytes(of pid: Int32) -> Double { field("RssAnon:", of: pid) }

    private static func field(_ name: String, of pid: Int32) -> Double {
        let line = TextFile.read("/proc/\(pid)/status").split(separator: "\n").first { $0.hasPrefix(name) }
        let number = line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
        return (number.flatMap { Double($0) } ?? 0) * 1024
    }

    private static func stat(of pid: Int32) -> (own: Int, waitedFor: Int)? {
        let text = TextFile.read("/proc/\(pid)/stat")
        // The name may hold spaces and parentheses; what follows its last ")" does not.
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ").map { Int($0) ?? 0 }
        guard fields.count > 14 else { return nil }
        return (fields[11] + fields[12], fields[13] + fields[14])
    }
}
