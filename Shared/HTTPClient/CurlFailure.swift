import CCurl

/// Turns libcurl's result codes into ours.
enum CurlFailure {
    static func error(_ result: CURLcode, text: String, wasSent: Bool) -> HTTPClientError {
        let reason = text.isEmpty ? unsafe String(cString: curl_easy_strerror(result)) : text
        return HTTPClientError(code(result, text: text, wasSent: wasSent), reason, wasSent: wasSent)
    }

    private static func code(_ result: CURLcode, text: String, wasSent: Bool) -> HTTPClientError.Code {
        switch result {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT: .connect
        case CURLE_OPERATION_TIMEDOUT: wasSent ? .totalTimeout : .connectTimeout
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_ENGINE_INITFAILED:
            .tls
        // After sending, it is the peer's protocol that is not supported.
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_FUNCTION_ARGUMENT:
            wasSent ? .protocolViolation : .invalidRequest
        // A broken chunk is a receive error to libcurl; only its text tells it from a lost connection.
        case CURLE_RECV_ERROR: text.contains("chunked-encoding") ? .protocolViolation : .cut
        case CURLE_OK, CURLE_PARTIAL_FILE, CURLE_SEND_ERROR, CURLE_GOT_NOTHING: .cut
        case CURLE_HTTP2, CURLE_HTTP2_STREAM: .cut
        default: .protocolViolation
        }
    }
}
