import Contracts
import Glibc
import Platform

/// Where figures were measured: without it a figure says nothing.
struct Machine: Sendable {
    let processor: String
    let allowed: Int
    let online: Int
    let memoryGigabytes: Double
    let kernel: String
    let load: String
    let date: String

    static func here() -> Machine {
        let info = TextFile.read("/proc/cpuinfo")
        let memory = TextFile.read("/proc/meminfo").split(separator: "\n").first { $0.hasPrefix("MemTotal") } ?? ""
        let kilobytes = Double(memory.split(separator: " ").dropFirst().first ?? "0") ?? 0
        let model = info.split(separator: "\n").first { $0.hasPrefix("model name") } ?? "unknown"
        return Machine(
            processor: model.split(separator: ":").last.map { $0.trimmingPrefix(" ") }.map(String.init) ?? "unknown",
            allowed: allowedProcessors().count, online: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))),
            memoryGigabytes: kilobytes / 1_048_576,
            kernel: TextFile.read("/proc/sys/kernel/osrelease").split(separator: "\n").first.map(String.init) ?? "",
            load: TextFile.read("/proc/loadavg").split(separator: " ").prefix(3).joined(separator: " "),
            date: ISO8601.string(milliseconds: WallClock.nowMilliseconds()))
    }

    /// The processors this process may run on, by number.
    static func allowedProcessors() -> [Int] {
        let status = TextFile.read("/proc/self/status").split(separator: "\n")
        let list = status.first { $0.hasPrefix("Cpus_allowed_list:") }?.split(separator: "\t").last ?? "0"
        return list.split(separator: ",").flatMap { part -> [Int] in
            let ends = part.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last else { return [] }
            return Array(first...last)
        }
    }

    var text: String {
        """
        \(date)  \(processor), \(allowed) of \(online) processors, \(NumberText.short(memoryGigabytes)) GB, \
        Linux \(kernel), load \(load)
        """
    }

    var json: JSONValue {
        [
            "processor": .string(processor), "processors_used": .int(Int64(allowed)),
            "processors_online": .int(Int64(online)),
            "memory_gb": .fraction(memoryGigabytes), "kernel": .string(kernel), "load_before": .string(load),
        ]
    }
}
