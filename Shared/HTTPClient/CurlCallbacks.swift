import CCurl

// What libcurl calls, always on the loop's thread and inside one of our own calls into it. None of these may call
// libcurl; they note what happened and wake who waits (which runs later, in the loop's turn).

/// `context` is the transfer, which the engine keeps alive until the handle has left the multi handle.
func curlReceivedBody(
    _ start: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let context = unsafe context else { return 0 }
    let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    switch unsafe transfer.received(UnsafeRawBufferPointer(start: start, count: size * count)) {
    case .taken: return size * count
    case .pause: return Int(CURL_WRITEFUNC_PAUSE)
    case .refuse: return size * count == 0 ? 1 : 0
    }
}

func curlReceivedHeader(
    _ start: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let context = unsafe context else { return 0 }
    let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    return unsafe transfer.receivedHeaderLine(UnsafeRawBufferPointer(start: start, count: size * count))
        ? size * count : 0
}

/// Runs each time a request is about to be written to a connection.
func curlWillSend(
    _ context: UnsafeMutableRawPointer?, _: UnsafeMutablePointer<CChar>?, _: UnsafeMutablePointer<CChar>?, _: Int32,
    _: Int32
) -> Int32 {
    guard let context = unsafe context else { return CURL_PREREQFUNC_ABORT }
    let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    return transfer.maySend() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

/// Makes the socket for an address that was resolved, if it may be connected to: there is no later look-up that could say
/// another one. `context` is the transfer.
func curlOpensSocket(
    _ context: UnsafeMutableRawPointer?, _: curlsocktype, _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let context = unsafe context, let address = unsafe address else { return CURL_SOCKET_BAD }
    let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = unsafe Int(ccurl_address(address, &bytes))
    guard transfer.mayConnect(to: Array(bytes.prefix(count))) else { return CURL_SOCKET_BAD }
    return unsafe ccurl_open_socket(address)
}

/// `context` is the engine, which outlives its multi handle.
func curlWantsSocket(
    _: UnsafeMutableRawPointer?, _ fd: curl_socket_t, _ what: Int32, _ context: UnsafeMutableRawPointer?,
    _: UnsafeMutableRawPointer?
) -> Int32 {
    guard let context = unsafe context else { return 0 }
    unsafe Unmanaged<CurlEngine>.fromOpaque(context).takeUnretainedValue().watch(fd, what)
    return 0
}

func curlWantsTimer(_: UnsafeMutableRawPointer?, _ milliseconds: Int, _ context: UnsafeMutableRawPointer?) -> Int32 {
    guard let context = unsafe context else { return 0 }
    unsafe Unmanaged<CurlEngine>.fromOpaque(context).takeUnretainedValue().setTimer(milliseconds: milliseconds)
    return 0
}
