import CLibCrypto

/// One hash in progress over an OpenSSL digest context. The context is freed with the value.
///
/// The algorithm is fetched from the provider once per process: a fetch per hash costs more than hashing an event.
@safe struct Digest: ~Copyable {
    private let context: OpaquePointer

    init(_ algorithm: Algorithm) {
        guard let context = unsafe EVP_MD_CTX_new() else { preconditionFailure("out of memory: no digest context") }
        unsafe self.context = unsafe context
        let started = unsafe EVP_DigestInit_ex2(context, algorithm.handle, nil)
        precondition(started == 1, "a fetched digest always starts")
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    mutating func update(_ bytes: [UInt8]) {
        let taken = unsafe bytes.withUnsafeBytes { unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        precondition(taken == 1, "a started digest takes bytes until it is finished")
    }

    consuming func finish(length: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            var written: UInt32 = 0
            let done = unsafe EVP_DigestFinal_ex(context, buffer.baseAddress, &written)
            precondition(done == 1 && Int(written) == length, "a digest has its fixed length")
            count = length
        }
    }

    /// A digest that OpenSSL's default provider always has. Immutable after `EVP_MD_fetch`, so it may cross threads.
    @safe struct Algorithm: @unchecked Sendable {
        let handle: OpaquePointer

        init(_ name: String) {
            guard let handle = unsafe EVP_MD_fetch(nil, name, nil) else {
                preconditionFailure("OpenSSL's default provider has no \(name)")
            }
            unsafe self.handle = unsafe handle
        }

        static let sha256 = Algorithm("SHA256")
        static let sha1 = Algorithm("SHA1")
    }
}
