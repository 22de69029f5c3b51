import Glibc

/// A file that holds the number of this process, for whoever wants to send it a signal.
///
/// The file is locked as long as the process lives, so that a number left behind by a process that died is told from one
/// that holds. It comes into being whole: no reader sees half a number, or a file of a process that gave up.
package final class PIDFile: Sendable {
    /// Why the file could not be had.
    package struct Refused: Error, CustomStringConvertible {
        package let description: String
    }

    /// Times that another process may take or leave the file while we try to have it.
    private static let maxTries = 20

    private let path: String
    private let descriptor: Int32

    /// Takes the file over, replacing one that nobody holds.
    /// - Throws: ``Refused`` when a living process holds it, or it can not be written.
    package init(path: String) throws(Refused) {
        self.path = path
        descriptor = try Self.take(path)
    }

    /// Removes the file if it is still ours, and gives it up.
    package func remove() {
        if Self.isFile(descriptor, at: path) { unlink(path) }
        close(descriptor)
    }

    private static func take(_ path: String) throws(Refused) -> Int32 {
        let (temporary, descriptor) = try write(beside: path)
        defer { unlink(temporary) }
        do throws(Refused) {
            for _ in 0..<maxTries where try place(temporary, at: path) { return descriptor }
            throw Refused(description: "\(path): other processes keep taking it")
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// A locked file with our number, under a name of its own.
    private static func write(beside path: String) throws(Refused) -> (temporary: String, descriptor: Int32) {
        let temporary = "\(path).\(getpid())"
        unlink(temporary)
        let descriptor = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw refused(temporary) }
        let number = Array("\(getpid())\n".utf8)
        guard fchmod(descriptor, 0o644) == 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0,
            Glibc.write(descriptor, number, number.count) == number.count
        else {
            let reason = refused(temporary)
            close(descriptor)
            unlink(temporary)
            throw reason
        }
        return (temporary, descriptor)
    }

    /// Puts our file in place: where there is none, or over one that no process has locked.
    /// - Returns: false when another process was there in between.
    private static func place(_ temporary: String, at path: String) throws(Refused) -> Bool {
        let former = open(path, O_RDWR | O_CLOEXEC)
        guard former >= 0 else {
            guard errno == ENOENT else { throw refused(path) }
            if link(temporary, path) == 0 { return true }
            guard errno == EEXIST else { throw refused(path) }
            return false
        }
        defer { close(former) }
        guard flock(former, LOCK_EX | LOCK_NB) == 0 else {
            throw Refused(description: "\(path): process \(number(in: former)) holds it and runs")
        }
        // What we locked may have been replaced before we did; then its successor has to be asked.
        guard isFile(former, at: path) else { return false }
        guard rename(temporary, path) == 0 else { throw refused(path) }
        return true
    }

    private static func isFile(_ descriptor: Int32, at path: String) -> Bool {
        var (opened, named) = (stat(), stat())
        return fstat(descriptor, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino
            && opened.st_dev == named.st_dev
    }

    private static func number(in descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = max(0, pread(descriptor, &bytes, bytes.count, 0))
        return String(decoding: bytes.prefix(count).prefix { (0x30...0x39).contains($0) }, as: UTF8.self)
    }

    private static func refused(_ path: String) -> Refused {
        Refused(description: "\(path): \(String(cString: strerror(errno)))")
    }
}
