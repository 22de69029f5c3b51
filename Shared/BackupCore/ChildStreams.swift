import Glibc

/// The three standard streams of a child, as its parent holds them.
///
/// They are sockets, so that writing to a child that has ended is an error and not a signal, and so that no child
/// inherits the descriptors of another (pipes can not be made close-on-exec in one step here).
final class ChildStreams {
    /// The child's input, output and error; -1 once closed here.
    private(set) var childEnds: [Int32]
    private var input: Int32
    private var output: Int32
    private var error: Int32

    /// Which streams can move.
    struct Ready {
        var input = false
        var output = false
        var error = false
    }

    var inputIsOpen: Bool { input >= 0 }
    var outputIsOpen: Bool { output >= 0 }
    var errorIsOpen: Bool { error >= 0 }

    /// - Throws: ``BackupError`` `.unavailable` when there are no descriptors left.
    init() throws {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        var pairs: [[Int32]] = []
        for _ in 0..<3 {
            var pair: [Int32] = [-1, -1]
            guard socketpair(AF_UNIX, kind, 0, &pair) == 0 else {
                for descriptor in pairs.joined() { Glibc.close(descriptor) }
                throw BackupError(.unavailable, "no descriptors for a child process")
            }
            pairs.append(pair)
        }
        childEnds = pairs.map { $0[1] }
        (input, output, error) = (pairs[0][0], pairs[1][0], pairs[2][0])
    }

    deinit {
        closeChildEnds()
        for descriptor in [input, output, error] where descriptor >= 0 { Glibc.close(descriptor) }
    }

    /// After the child was started: without this the ends of its streams would never be seen.
    func closeChildEnds() {
        for index in childEnds.indices { Self.close(&childEnds[index]) }
    }

    func closeInput() { Self.close(&input) }

    /// Waits until a stream can move, for ``ChildProcess/pollMilliseconds`` at most.
    func wait() -> Ready {
        // A negative descriptor is passed over.
        var watched = [
            pollfd(fd: input, events: Int16(POLLOUT), revents: 0),
            pollfd(fd: output, events: Int16(POLLIN), revents: 0),
            pollfd(fd: error, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&watched, 3, ChildProcess.pollMilliseconds) > 0 else { return Ready() }
        return Ready(input: watched[0].revents != 0, output: watched[1].revents != 0, error: watched[2].revents != 0)
    }

    /// What there is; empty at the end of the stream, which is then closed.
    func readOutput() -> [UInt8] { Self.read(&output) }
    func readError() -> [UInt8] { Self.read(&error) }

    /// How much was taken. Closes the stream when the child no longer reads.
    func send(_ bytes: ArraySlice<UInt8>) -> Int {
        guard inputIsOpen, !bytes.isEmpty else { return 0 }
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        let count = bytes.withUnsafeBytes { Glibc.send(input, $0.baseAddress, $0.count, flags) }
        if count < 0 && errno != EAGAIN && errno != EINTR { closeInput() }
        return max(0, count)
    }

    private static func read(_ descriptor: inout Int32) -> [UInt8] {
        let source = descriptor
        let bytes = [UInt8](unsafeUninitializedCapacity: ChildProcess.pieceBytes) { buffer, filled in
            var got = 0
            repeat { got = Glibc.read(source, buffer.baseAddress, buffer.count) } while got < 0 && errno == EINTR
            filled = max(0, got)
        }
        if bytes.isEmpty { close(&descriptor) }
        return bytes
    }

    private static func close(_ descriptor: inout Int32) {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }
}
