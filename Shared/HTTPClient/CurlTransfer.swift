import CCurl
import Platform
import Sockets

/// One request and its response. On the loop's thread only.
@safe final class CurlTransfer: @unchecked Sendable {  // its owner, the engine, checks the thread
    /// Bytes of a response head with its interim ones; more is `.tooLarge`.
    static let maxHeadBytes = 64 * 1024
    /// Bytes and time that the unread rest of a body may take to arrive.
    static let maxDiscardedBytes = 64 * 1024
    static let discardTime = Duration.milliseconds(250)

    enum Reception { case taken, pause, refuse }
    typealias HeadContinuation = CheckedContinuation<Result<HTTPClientHead, HTTPClientError>, Never>
    typealias BytesContinuation = CheckedContinuation<Result<[UInt8]?, HTTPClientError>, Never>

    let handle: CurlHandle
    private unowned let engine: CurlEngine
    private let maxResponseBytes: Int
    private let bufferBytes: Int
    private let addresses: AddressPolicy?
    private let deadlines: Deadlines
    private let startedAt = MonotonicTime.now()

    private(set) var wasSent = false
    private var headParser = ResponseHeadParser(maxBytes: CurlTransfer.maxHeadBytes)
    private var buffer: [UInt8] = []
    private var receivedBytes = 0
    private var isPaused = false
    private var isDiscarding = false
    private var outcome: Result<Void, HTTPClientError>?
    /// Why a callback told libcurl to stop.
    private var refusal: HTTPClientError?

    private var headWaiter: HeadContinuation?
    private var bytesWaiter: BytesContinuation?
    private var waitDeadline = Int64.max
    private var timer: LoopTimer?
    private var timerDue = Int64.max

    init(
        handle: CurlHandle, engine: CurlEngine, request: HTTPClientRequest, deadlines: Deadlines, bufferBytes: Int,
        addresses: AddressPolicy? = nil
    ) {
        self.handle = handle
        self.engine = engine
        self.deadlines = deadlines
        self.bufferBytes = bufferBytes
        self.addresses = addresses
        maxResponseBytes = request.maxResponseBytes
    }

    var isFinished: Bool { outcome != nil }

    // MARK: For the reader

    func waitForHead(_ continuation: HeadContinuation) {
        if let head = headParser.head { return continuation.resume(returning: .success(head)) }
        if case .failure(let error) = outcome { return continuation.resume(returning: .failure(error)) }
        headWaiter = continuation
    }

    /// What needs no waiting: buffered bytes, the end, or the failure; nil when there is none of them yet.
    func takeReady() -> Result<[UInt8]?, HTTPClientError>? {
        if !buffer.isEmpty {
            let bytes = buffer
            buffer = []
            resumeIfPaused()
            return .success(bytes)
        }
        return outcome.map { $0.map { nil } }
    }

    func waitForBytes(_ continuation: BytesContinuation, timeout: Duration?) {
        // What arrived or ended between the look and this call, and a reader that is one too many.
        if let ready = takeReady() { return continuation.resume(returning: ready) }
        precondition(bytesWaiter == nil, "a body has one reader")
        bytesWaiter = continuation
        waitDeadline = MonotonicTime.now() &+ max(0, (timeout ?? deadlines.idle).nanosecondsClamped)
        armTimer()
    }

    func cancel() {
        guard outcome == nil, !isDiscarding else { return }
        engine.abort(self, HTTPClientError(.cancelled, "cancelled", wasSent: wasSent))
    }

    func discardRest() {
        guard outcome == nil else { return }
        isDiscarding = true
        buffer = []
        waitDeadline = MonotonicTime.now() &+ Self.discardTime.nanosecondsClamped
        armTimer()
        resumeIfPaused()
    }

    private func resumeIfPaused() {
        guard isPaused, outcome == nil else { return }
        isPaused = false
        handle.resume()
    }

    // MARK: For libcurl

    /// Whether the request may be written. The second time libcurl would send it again on a fresh connection; the peer
    /// may have acted on the first, so that is for the caller to decide (RFC 9110 §9.2.2).
    func maySend() -> Bool {
        refusal = nil  // of an address before the one that is connected
        if wasSent {
            refusal = HTTPClientError(.cut, "the connection ended before an answer", wasSent: true)
            return false
        }
        wasSent = true
        return true
    }

    /// Whether a connection to this IP address may be opened. Another one of the same name may still be tried.
    func mayConnect(to address: [UInt8]) -> Bool {
        guard let addresses, !addresses.permits(address) else { return true }
        refusal = HTTPClientError(.addressRefused, "the name leads to an address that is not public", wasSent: false)
        return false
    }

    func receivedHeaderLine(_ line: UnsafeRawBufferPointer) -> Bool {
        switch unsafe headParser.take(line) {
        case .more: return true
        case .complete(let head):
            headWaiter?.resume(returning: .success(head))
            headWaiter = nil
            return true
        case .invalid(let reason): return refuse(.protocolViolation, reason)
        case .tooLarge: return refuse(.tooLarge, "a response head of more than \(Self.maxHeadBytes) bytes")
        }
    }

    func received(_ bytes: UnsafeRawBufferPointer) -> Reception {
        if isDiscarding {
            receivedBytes += bytes.count
            return receivedBytes > Self.maxDiscardedBytes + maxResponseBytes ? .refuse : .taken
        }
        // libcurl keeps what it was refused here and offers the same bytes again.
        guard buffer.isEmpty || buffer.count + bytes.count <= bufferBytes else {
            isPaused = true
            return .pause
        }
        receivedBytes += bytes.count
        guard receivedBytes <= maxResponseBytes else {
            _ = refuse(.tooLarge, "a response body of more than \(maxResponseBytes) bytes")
            return .refuse
        }
        unsafe buffer.append(contentsOf: bytes)
        if let waiter = bytesWaiter {
            bytesWaiter = nil
            waitDeadline = .max
            waiter.resume(returning: .success(buffer))
            buffer = []
        }
        return .taken
    }

    private func refuse(_ code: HTTPClientError.Code, _ message: String) -> Bool {
        refusal = HTTPClientError(code, message, wasSent: wasSent)
        return false
    }

    // MARK: For the engine

    func finish(_ result: CURLcode) {
        if result == CURLE_OK && headParser.head != nil { return finish(.success(())) }
        finish(.failure(refusal ?? CurlFailure.error(result, text: handle.lastError, wasSent: wasSent)))
    }

    func finish(_ result: Result<Void, HTTPClientError>) {
        guard outcome == nil else { return }
        outcome = result
        if let timer { engine.loop.cancel(timer) }
        timer = nil
        if case .failure(let error) = result { headWaiter?.resume(returning: .failure(error)) }
        headWaiter = nil
        bytesWaiter?.resume(returning: result.map { nil })
        bytesWaiter = nil
    }

    // MARK: Deadlines

    /// One timer, set to the earliest deadline. Deadlines mostly move later, so it is moved when it fires and not before.
    func armTimer() {
        guard outcome == nil else { return }
        let due = nextDeadline.instant
        guard due < timerDue else { return }
        if let timer { engine.loop.cancel(timer) }
        timerDue = due
        timer = engine.loop.schedule(after: .nanoseconds(max(0, due - MonotonicTime.now()))) { [weak self] in
            self?.timerFired()
        }
    }

    private func timerFired() {
        timer = nil
        timerDue = .max
        let (instant, code) = nextDeadline
        guard MonotonicTime.now() >= instant else { return armTimer() }
        guard !isDiscarding else {
            return engine.abort(self, HTTPClientError(.cancelled, "not read to its end", wasSent: true))
        }
        engine.abort(self, HTTPClientError(code, "no progress in time", wasSent: wasSent))
    }

    private var nextDeadline: (instant: Int64, code: HTTPClientError.Code) {
        var soonest = (instant: instant(deadlines.total), code: HTTPClientError.Code.totalTimeout)
        if waitDeadline < soonest.instant { soonest = (waitDeadline, .idleTimeout) }
        guard headParser.head == nil else { return soonest }
        let firstByte = instant(deadlines.firstByte)
        if firstByte < soonest.instant { soonest = (firstByte, .firstByteTimeout) }
        let connect = instant(deadlines.connect)
        if !wasSent && connect <= soonest.instant { soonest = (connect, .connectTimeout) }
        return soonest
    }

    private func instant(_ limit: Duration) -> Int64 {
        let (sum, overflow) = startedAt.addingReportingOverflow(max(0, limit.nanosecondsClamped))
        return overflow ? .max : sum
    }
}
