import CCurl
import Sockets

/// libcurl's multi handle on an event loop: it says which descriptors and times to watch, we say when they are due.
///
/// Every method runs on the loop's thread. The multi handle lives from the first request until ``close()``.
@safe final class CurlEngine: @unchecked Sendable {
    /// Easy handles kept for the next requests.
    static let maxSpareHandles = 64

    let loop: EventLoop
    private let configuration: HTTPClientConfiguration
    private var multi: UnsafeMutableRawPointer?
    private var transfers: [UnsafeMutableRawPointer: CurlTransfer] = unsafe [:]
    private var spare: [CurlHandle] = []
    private var watches: [Int32: Registration] = [:]
    private var timer: LoopTimer?
    private var isClosed = false
    private(set) var connectionsOpened = 0

    init(loop: EventLoop, configuration: HTTPClientConfiguration) {
        self.loop = loop
        self.configuration = configuration
    }

    /// Begins a request; libcurl works on it from the loop's next turn.
    func start(_ request: HTTPClientRequest, _ deadlines: Deadlines) throws(HTTPClientError) -> CurlTransfer {
        loop.checkIsolated()
        guard !isClosed, let multi = unsafe openMulti() else {
            throw Self.refused(.invalidRequest, "the client is closed")
        }
        guard unsafe transfers.count < configuration.maxTransfers else {
            throw Self.refused(.busy, "\(configuration.maxTransfers) requests are in progress")
        }
        guard let handle = spare.popLast() ?? CurlHandle() else {
            throw Self.refused(.invalidRequest, "libcurl has no handle")
        }
        let transfer = CurlTransfer(
            handle: handle, engine: self, request: request, deadlines: deadlines,
            bufferBytes: configuration.bufferBytes,
            addresses: configuration.addresses)
        try unsafe handle.configure(request, configuration, context: Unmanaged.passUnretained(transfer).toOpaque())
        unsafe transfers[handle.raw] = transfer
        guard unsafe curl_multi_add_handle(multi, handle.raw) == CURLM_OK else {
            unsafe transfers[handle.raw] = nil
            throw Self.refused(.invalidRequest, "libcurl refused the request")
        }
        transfer.armTimer()
        return transfer
    }

    /// Ends a transfer now; its connection is closed unless the response was complete.
    func abort(_ transfer: CurlTransfer, _ error: HTTPClientError) {
        loop.checkIsolated()
        guard unsafe transfers[transfer.handle.raw] === transfer else { return }
        remove(transfer)
        transfer.finish(.failure(error))
    }

    func close() {
        loop.checkIsolated()
        guard !isClosed else { return }
        isClosed = true
        for transfer in unsafe Array(transfers.values) {
            abort(transfer, HTTPClientError(.cancelled, "the client was closed", wasSent: transfer.wasSent))
        }
        if let multi = unsafe multi { _ = unsafe curl_multi_cleanup(multi) }
        unsafe multi = nil
        for registration in watches.values { loop.deregister(registration) }
        watches = [:]
        if let timer { loop.cancel(timer) }
        spare = []
    }

    private func openMulti() -> UnsafeMutableRawPointer? {
        if let multi = unsafe multi { return unsafe multi }
        guard CurlLibrary.isReady, let made = unsafe curl_multi_init() else { return nil }
        let me = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe ccurl_multi_set_socket_callback(made, curlWantsSocket)
        unsafe ccurl_multi_set_pointer(made, CURLMOPT_SOCKETDATA, me)
        unsafe ccurl_multi_set_timer_callback(made, curlWantsTimer)
        unsafe ccurl_multi_set_pointer(made, CURLMOPT_TIMERDATA, me)
        unsafe ccurl_multi_set_long(made, CURLMOPT_MAX_TOTAL_CONNECTIONS, configuration.maxConnections)
        unsafe ccurl_multi_set_long(made, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.maxConnectionsPerHost)
        unsafe ccurl_multi_set_long(made, CURLMOPT_MAXCONNECTS, configuration.maxConnections)
        unsafe multi = made
        return unsafe made
    }

    private func remove(_ transfer: CurlTransfer) {
        guard let multi = unsafe multi else { return }
        connectionsOpened += transfer.handle.connectionsOpened
        _ = unsafe curl_multi_remove_handle(multi, transfer.handle.raw)
        unsafe transfers[transfer.handle.raw] = nil
        if spare.count < Self.maxSpareHandles { spare.append(transfer.handle) }
    }

    // MARK: What libcurl asks for

    func watch(_ fd: Int32, _ what: Int32) {
        guard what != CURL_POLL_REMOVE else {
            if let registration = watches.removeValue(forKey: fd) { loop.deregister(registration) }
            return
        }
        var interest: Interest = []
        if what & CURL_POLL_IN != 0 { interest.insert(.read) }
        if what & CURL_POLL_OUT != 0 { interest.insert(.write) }
        if let registration = watches[fd] { return loop.update(registration, interest) }
        // Fails only when the kernel is out of memory; the transfer then ends by its deadline.
        watches[fd] = try? loop.register(fd, interest, handler: SocketWatch(fd: fd, engine: self))
    }

    func setTimer(milliseconds: Int) {
        if let timer { loop.cancel(timer) }
        timer =
            milliseconds < 0
            ? nil : loop.schedule(after: .milliseconds(milliseconds)) { [weak self] in self?.timerFired() }
    }

    // MARK: What the loop reports

    func socketReady(_ fd: Int32, _ events: ReadyEvents) {
        act(fd, (events.isReadable ? CURL_CSELECT_IN : 0) | (events.isWritable ? CURL_CSELECT_OUT : 0))
    }

    private func timerFired() {
        timer = nil
        act(CURL_SOCKET_TIMEOUT, 0)
    }

    private func act(_ fd: Int32, _ events: Int32) {
        guard let multi = unsafe multi else { return }
        var running: Int32 = 0
        _ = unsafe curl_multi_socket_action(multi, fd, events, &running)
        unsafe reportFinished(multi)
    }

    private func reportFinished(_ multi: UnsafeMutableRawPointer) {
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(multi, &left) {
            guard let raw = unsafe ccurl_done_handle(message), let transfer = unsafe transfers[raw] else { continue }
            // Removing the handle frees the message.
            let result = unsafe ccurl_done_result(message)
            remove(transfer)
            transfer.finish(result)
        }
    }

    private static func refused(_ code: HTTPClientError.Code, _ message: String) -> HTTPClientError {
        HTTPClientError(code, message, wasSent: false)
    }
}

/// One descriptor of libcurl's, watched on its behalf.
@safe private final class SocketWatch: EventHandler, @unchecked Sendable {  // on the loop only
    private let fd: Int32
    private weak var engine: CurlEngine?

    init(fd: Int32, engine: CurlEngine) {
        self.fd = fd
        self.engine = engine
    }

    func ready(_ events: ReadyEvents) { engine?.socketReady(fd, events) }
}
