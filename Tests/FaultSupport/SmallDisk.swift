import Glibc
import TestSupport

/// A disk of its own for one server, so small that it can be filled: a file system in memory, which takes root to mount.
package final class SmallDisk: Sendable {
    /// Whether this process may mount one: not every root may.
    package static func isPossible() async -> Bool {
        guard getuid() == 0, let folder = try? StackFolder.make("disk-\(UInt64.random(in: .min ... .max))") else {
            return false
        }
        let disk = try? await SmallDisk(at: folder, megabytes: 1)
        await disk?.remove()
        rmdir(folder)
        return disk != nil
    }

    package let path: String
    private var filler: String { "\(path)/filler" }

    /// - Parameter path: a folder that exists; what is in it is hidden.
    package init(at path: String, megabytes: Int) async throws {
        self.path = path
        let options = "size=\(megabytes)m,mode=0700"
        try await Self.run("/bin/mount", ["-t", "tmpfs", "-o", options, "tmpfs", path])
    }

    private static func run(_ binary: String, _ arguments: [String]) async throws {
        let process = try ServiceProcess(
            name: "mount", binary: binary, arguments: arguments, environment: [:], logPath: "/dev/null")
        let end = try await process.waitForEnd()
        guard end == .exited(0) else { throw StackFolder.Failed(description: "\(binary) \(arguments): \(end)") }
    }

    /// Leaves no byte to whoever writes next.
    package func fill() throws {
        let file = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw StackFolder.Failed(description: "open \(filler): errno \(errno)") }
        defer { close(file) }
        let block = [UInt8](repeating: 0xFF, count: 256 * 1024)
        // Smaller and smaller blocks: the last page counts too.
        for size in [block.count, 16 * 1024, 4096] {
            while write(file, block, size) == size {}
        }
    }

    /// Gives the space back.
    package func free() { unlink(filler) }

    /// The last thing.
    package func remove() async {
        free()
        try? await Self.run("/bin/umount", ["-l", path])
    }
}
