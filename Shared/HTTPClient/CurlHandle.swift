import CCurl

/// Owns one libcurl easy handle and its error text. Used by one transfer at a time, on the loop's thread.
@safe final class CurlHandle {
    let raw: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>
    private var headerList: UnsafeMutablePointer<curl_slist>?

    init?() {
        guard CurlLibrary.isReady, let raw = unsafe curl_easy_init() else { return nil }
        unsafe self.raw = raw
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        unsafe curl_easy_cleanup(raw)
        unsafe curl_slist_free_all(headerList)
        unsafe errorText.deallocate()
    }

    /// Forgets the last request; connections and names stay known to the multi handle.
    func reset() {
        unsafe curl_easy_reset(raw)
        unsafe curl_slist_free_all(headerList)
        unsafe headerList = nil
        unsafe errorText.pointee = 0
        _ = unsafe ccurl_set_pointer(raw, CURLOPT_ERRORBUFFER, errorText)
    }

    /// What libcurl said about the last failure; empty when it said nothing.
    var lastError: String { unsafe String(cString: errorText) }

    @discardableResult
    func set(_ option: CURLoption, _ value: Int) -> Bool { unsafe ccurl_set_long(raw, option, value) == CURLE_OK }

    @discardableResult
    func set(_ option: CURLoption, _ value: String) -> Bool { unsafe ccurl_set_string(raw, option, value) == CURLE_OK }

    /// The pointer's owner outlives the transfer.
    func set(_ option: CURLoption, _ value: UnsafeMutableRawPointer) {
        _ = unsafe ccurl_set_pointer(raw, option, value)
    }

    func set(_ option: CURLoption, callback: ccurl_data_callback) {
        _ = unsafe ccurl_set_data_callback(raw, option, callback)
    }

    func setOpenSocket(callback: curl_opensocket_callback) { _ = unsafe ccurl_set_opensocket_callback(raw, callback) }

    func setPrerequest(callback: ccurl_prereq_callback) { _ = unsafe ccurl_set_prereq_callback(raw, callback) }

    /// Replaces the header lines; they live as long as the handle's present request.
    func set(headerLines: [String]) -> Bool {
        for line in headerLines {
            guard let longer = unsafe curl_slist_append(headerList, line) else { return false }
            unsafe headerList = longer
        }
        return unsafe ccurl_set_slist(raw, CURLOPT_HTTPHEADER, headerList) == CURLE_OK
    }

    /// Copies the body into libcurl.
    func set(body: [UInt8]) -> Bool {
        guard unsafe ccurl_set_off(raw, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)) == CURLE_OK else {
            return false
        }
        return unsafe body.withUnsafeBytes { bytes in
            // libcurl copies as many bytes as it was just told, and asks for a pointer also when that is none.
            var empty: UInt8 = 0
            guard let start = bytes.baseAddress else {
                return unsafe ccurl_set_pointer(raw, CURLOPT_COPYPOSTFIELDS, &empty) == CURLE_OK
            }
            return unsafe ccurl_set_pointer(raw, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: start))
                == CURLE_OK
        }
    }

    /// Connections this transfer opened: 0 when it used one that was there.
    var connectionsOpened: Int {
        var count = 0
        _ = unsafe ccurl_get_long(raw, CURLINFO_NUM_CONNECTS, &count)
        return count
    }

    /// Lets a paused transfer go on; its callbacks may run before this returns.
    func resume() { _ = unsafe curl_easy_pause(raw, CURLPAUSE_CONT) }
}

/// libcurl's own process-wide setup, done once by whoever comes first.
enum CurlLibrary {
    static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
}
