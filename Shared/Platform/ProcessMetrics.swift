import FoundationEssentials
import Glibc

/// The standard `process_*` metrics, read from /proc at each scrape.
package enum ProcessMetrics {
    package static func register(in metrics: Metrics, startedAtMilliseconds: Int64) {
        metrics.onScrape { metrics in
            let memory = memoryPages()
            let page = Double(sysconf(Int32(_SC_PAGESIZE)))
            metrics.set(.startTime, to: Double(startedAtMilliseconds) / 1000)
            metrics.set(.residentMemory, to: Double(memory.resident) * page)
            metrics.set(.virtualMemory, to: Double(memory.virtual) * page)
            var usage = timespec()
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &usage)
            metrics.set(.cpuSeconds, to: Double(usage.tv_sec) + Double(usage.tv_nsec) / 1e9)
            metrics.set(.openDescriptors, to: Double(entries("/proc/self/fd")))
            metrics.set(.maxDescriptors, to: Double(descriptorLimit()))
            metrics.set(.threads, to: Double(entries("/proc/self/task")))
        }
    }

    /// Resident set size in bytes; 0 when /proc can not be read.
    package static func residentBytes() -> Int { memoryPages().resident * Int(sysconf(Int32(_SC_PAGESIZE))) }

    private static func memoryPages() -> (virtual: Int, resident: Int) {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return (0, 0) }
        let pages = text.split(separator: " ").prefix(2).map { Int($0) ?? 0 }
        return pages.count == 2 ? (pages[0], pages[1]) : (0, 0)
    }

    private static func entries(_ folder: String) -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: folder).count) ?? 0
    }

    private static func descriptorLimit() -> UInt64 {
        var limit = rlimit()
        return getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? UInt64(limit.rlim_cur) : 0
    }
}
