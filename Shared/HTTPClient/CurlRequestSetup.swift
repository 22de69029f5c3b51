import CCurl

extension CurlHandle {
    /// Seconds an unused connection is kept; servers commonly close theirs after 60 to 120.
    private static let maxIdleConnectionSeconds = 55

    /// Prepares the handle for one request. `context` is the transfer that the callbacks report to.
    func configure(
        _ request: HTTPClientRequest, _ configuration: HTTPClientConfiguration, context: UnsafeMutableRawPointer
    ) throws(HTTPClientError) {
        guard request.headers.areSafe, !request.method.isEmpty,
            request.method.utf8.allSatisfy(HTTPClientHeaders.isTokenByte),
            !request.url.utf8.contains(0)
        else {
            throw HTTPClientError(
                .invalidRequest, "a method, header or address that can not be written", wasSent: false)
        }
        reset()
        setPolicy(configuration)
        unsafe set(CURLOPT_WRITEFUNCTION, callback: curlReceivedBody)
        unsafe set(CURLOPT_WRITEDATA, context)
        unsafe set(CURLOPT_HEADERFUNCTION, callback: curlReceivedHeader)
        unsafe set(CURLOPT_HEADERDATA, context)
        unsafe setPrerequest(callback: curlWillSend)
        unsafe set(CURLOPT_PREREQDATA, context)
        if configuration.addresses != nil {
            unsafe setOpenSocket(callback: curlOpensSocket)
            unsafe set(CURLOPT_OPENSOCKETDATA, context)
        }
        guard set(CURLOPT_URL, request.url), setMethod(request), set(headerLines: headerLines(request)) else {
            throw HTTPClientError(.invalidRequest, "libcurl refused the request", wasSent: false)
        }
    }

    private func setPolicy(_ configuration: HTTPClientConfiguration) {
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS)
        set(CURLOPT_TCP_NODELAY, 1)
        set(CURLOPT_MAXAGE_CONN, Self.maxIdleConnectionSeconds)
        // Deadlines are ours; libcurl's own must not fire first.
        set(CURLOPT_CONNECTTIMEOUT_MS, Int(Int32.max))
        set(CURLOPT_USERAGENT, configuration.userAgent)
        if let file = configuration.caFile { set(CURLOPT_CAINFO, file) }
        // A proxy would connect where we can not look.
        if !configuration.usesEnvironmentProxy || configuration.addresses != nil { set(CURLOPT_PROXY, "") }
    }

    private func setMethod(_ request: HTTPClientRequest) -> Bool {
        switch request.method {
        case "GET" where request.body.isEmpty: return set(CURLOPT_HTTPGET, 1)
        case "HEAD": return set(CURLOPT_NOBODY, 1)
        case "POST": return set(CURLOPT_POST, 1) && set(body: request.body)
        case let method where request.body.isEmpty: return set(CURLOPT_CUSTOMREQUEST, method)
        case let method: return set(CURLOPT_POST, 1) && set(body: request.body) && set(CURLOPT_CUSTOMREQUEST, method)
        }
    }

    /// libcurl's form: `Name: value`, `Name;` for an empty value, and `Name:` to leave out what it adds by itself.
    private func headerLines(_ request: HTTPClientRequest) -> [String] {
        var lines = request.headers.fields.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        lines.append("Expect:")
        if request.headers["Content-Type"] == nil { lines.append("Content-Type:") }
        return lines
    }
}
