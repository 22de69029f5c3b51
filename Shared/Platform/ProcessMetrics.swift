import FoundationEssentials
import Glibc

/// The standard `process_*` metrics, read from /proc at each scrape.
package enum ProcessMetrics {
    static let residentMemory = MetricName("process_resident_memory_bytes", .gauge, "Resident memory.")
    static let cpuSeconds = MetricName("process_cpu_seconds_total", .counter, "CPU time, user and system.")
    static let openDescriptors = MetricName("process_open_fds", .gauge, "Open file descriptors.")
    static let startTime = MetricName("process_start_time_seconds", .gauge, "Unix time of the start.")

    package static func register(in metrics: Metrics, startedAtMilliseconds: Int64) {
        metrics.onScrape { metrics in
            metrics.set(startTime, to: Double(startedAtMilliseconds) / 1000)
            metrics.set(residentMemory, to: Double(residentBytes()))
            var usage = timespec()
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &usage)
            metrics.set(cpuSeconds, to: Double(usage.tv_sec) + Double(usage.tv_nsec) / 1e9)
            metrics.set(openDescriptors, to: Double(descriptorCount()))
        }
    }

    /// Resident set size in bytes; 0 when /proc can not be read.
    package static func residentBytes() -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static func descriptorCount() -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
    }
}
