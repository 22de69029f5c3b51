import CLibPQ
import Glibc

/// Sole owner of one libpq connection; every call on it is here. Used by one ``PGSession`` on its loop's thread.
@safe final class PGHandle {
    enum Polling { case wantsRead, wantsWrite, ready, failed }

    private let raw: OpaquePointer
    /// libpq holds its address.
    private let notices: NoticeBox

    /// Begins to connect, without blocking.
    /// - Throws: `.unavailable` when libpq refuses the parameters or memory is out.
    init(_ parameters: ConnectionParameters, onNotice: NoticeBox) throws(PGError) {
        notices = onNotice
        let pairs = parameters.values.sorted { $0.key < $1.key }
        let made = unsafe Self.withCStrings(pairs.map(\.key)) { keywords in
            unsafe Self.withCStrings(pairs.map(\.value)) { values in unsafe PQconnectStartParams(keywords, values, 0) }
        }
        guard let made = unsafe made else { throw PGError(.unavailable, "libpq: out of memory") }
        unsafe raw = made
        unsafe PQsetNoticeReceiver(raw, noticeReceiver, Unmanaged.passUnretained(onNotice).toOpaque())
        // While connecting there is no result to ask for the SQLSTATE: the text has it only when it is verbose.
        unsafe PQsetErrorVerbosity(raw, PQERRORS_VERBOSE)
        guard unsafe PQstatus(raw) != CONNECTION_BAD else { throw connectionFailure }
    }

    deinit { unsafe PQfinish(raw) }

    // MARK: Connection

    var socket: Int32 { unsafe PQsocket(raw) }
    var isBad: Bool { unsafe PQstatus(raw) == CONNECTION_BAD }
    var backendPID: Int32 { unsafe PQbackendPID(raw) }
    var serverVersion: Int32 { unsafe PQserverVersion(raw) }
    /// The last failure, in one line.
    var errorMessage: String {
        let text = unsafe String(cString: PQerrorMessage(raw))
        let lines = text.split(separator: "\n").map { $0.trimmingPrefix { $0 == " " || $0 == "\t" } }
            .filter { !$0.hasPrefix("LOCATION:") }
        return lines.isEmpty ? "no reason given" : lines.joined(separator: "; ")
    }

    /// The last failure of connecting, with the SQLSTATE when it was the server that refused.
    var connectionFailure: PGError { PGError(connecting: errorMessage) }

    /// Makes the next step of connecting; the socket may be another one afterwards.
    func poll() -> Polling {
        switch unsafe PQconnectPoll(raw) {
        case PGRES_POLLING_READING: .wantsRead
        case PGRES_POLLING_WRITING: .wantsWrite
        case PGRES_POLLING_OK: .ready
        default: .failed
        }
    }

    /// Once connected: calls no longer block, and statements are pipelined.
    func enterPipeline() -> Bool { unsafe PQsetnonblocking(raw, 1) == 0 && PQenterPipelineMode(raw) == 1 }
    func exitPipeline() -> Bool { unsafe PQexitPipelineMode(raw) == 1 }

    /// What it takes to cancel the statement that runs; nil when memory is out.
    func canceller() -> PGCanceller? { unsafe PQgetCancel(raw).map { unsafe PGCanceller($0) } }

    // MARK: Sending

    func sendPrepare(name: [CChar], text: String, types: [PGType]) -> Bool {
        let oids = types.map { Oid($0.rawValue) }
        return unsafe PQsendPrepare(raw, name, text, Int32(oids.count), oids) == 1
    }

    func sendPrepared(name: [CChar], _ parameters: ParameterEncoder) -> Bool {
        unsafe withPointers(parameters) { values in
            unsafe PQsendQueryPrepared(
                raw, name, Int32(parameters.offsets.count), values, parameters.lengths, parameters.formats, 1) == 1
        }
    }

    func sendUnnamed(text: String, types: [PGType], _ parameters: ParameterEncoder) -> Bool {
        let oids = types.map { Oid($0.rawValue) }
        return unsafe withPointers(parameters) { values in
            unsafe PQsendQueryParams(
                raw, text, Int32(oids.count), oids, values, parameters.lengths, parameters.formats, 1) == 1
        }
    }

    /// Only outside pipeline mode.
    func sendScript(_ text: String) -> Bool { unsafe PQsendQuery(raw, text) == 1 }
    func sync() -> Bool { unsafe PQpipelineSync(raw) == 1 }

    /// True when libpq still holds bytes that the kernel did not take; nil when the connection is gone.
    func flush() -> Bool? {
        let status = unsafe PQflush(raw)
        return status < 0 ? nil : status == 1
    }

    // MARK: Answers

    /// Takes what the socket has; false when the connection is gone.
    func consumeInput() -> Bool { unsafe PQconsumeInput(raw) == 1 }
    /// ``nextAnswer()`` would block.
    var isBusy: Bool { unsafe PQisBusy(raw) == 1 }
    /// TLS holds decrypted bytes that the descriptor will not announce.
    var hasBufferedInput: Bool { unsafe clibpq_tls_pending(raw) > 0 }

    func nextAnswer() -> PGAnswer {
        guard let result = unsafe PQgetResult(raw) else { return .endOfCommand }
        return unsafe PGAnswer(taking: result)
    }

    // MARK: Text

    /// The settings a DSN names; nil when it can not be read.
    static func parse(dsn: String) -> [String: String]? {
        guard !dsn.utf8.contains(0) else { return nil }
        var message: UnsafeMutablePointer<CChar>?
        let options = unsafe PQconninfoParse(dsn, &message)
        defer {
            unsafe PQfreemem(message)
            unsafe PQconninfoFree(options)
        }
        guard let options = unsafe options else { return nil }
        var values: [String: String] = [:]
        var index = 0
        while let keyword = unsafe options[index].keyword {
            if let value = unsafe options[index].val {
                unsafe values[String(cString: keyword)] = String(cString: value)
            }
            index += 1
        }
        return values
    }

    private func withPointers<Result>(
        _ parameters: ParameterEncoder, _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
    ) -> Result {
        unsafe parameters.bytes.withUnsafeBytes { bytes in
            let base = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            return unsafe withUnsafeTemporaryAllocation(
                of: UnsafePointer<CChar>?.self, capacity: max(1, parameters.offsets.count)
            ) { values in
                for (index, offset) in parameters.offsets.enumerated() {
                    unsafe (values.baseAddress! + index).initialize(
                        to: offset < 0 ? nil : base.map { unsafe $0 + offset })
                }
                return unsafe body(UnsafePointer(values.baseAddress))
            }
        }
    }

    private static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        var copies = unsafe strings.map { unsafe UnsafePointer<CChar>(strdup($0)) }
        unsafe copies.append(nil)
        defer { unsafe copies.forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) } }
        return unsafe copies.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
    }
}

/// Hears NOTICE and WARNING messages, and errors that come while nothing runs.
final class NoticeBox {
    var receive: (PGError) -> Void = { _ in }
}

private func noticeReceiver(_ context: UnsafeMutableRawPointer?, _ result: OpaquePointer?) {
    guard let context = unsafe context, let result = unsafe result else { return }
    let box = unsafe Unmanaged<NoticeBox>.fromOpaque(context).takeUnretainedValue()
    box.receive(unsafe PGAnswer.error(of: result))
}

/// Asks the server, on a connection of its own, to cancel what a session runs. May be used from any thread, once.
@safe final class PGCanceller: @unchecked Sendable {  // immutable; PQcancel is documented as thread-safe
    private let raw: OpaquePointer

    @unsafe init(_ raw: OpaquePointer) { unsafe self.raw = raw }
    deinit { unsafe PQfreeCancel(raw) }

    /// Blocks while it connects. What it achieved is not known; the server's statement timeout is behind it.
    func cancel() {
        var message = [CChar](repeating: 0, count: 256)
        _ = unsafe PQcancel(raw, &message, Int32(message.count))
    }
}
