import CZlib

/// One stream of zlib, and the one place where it is given pointers.
@safe final class ZlibStream {
    // One allocation that zlib keeps pointers into; freed in deinit.
    private let stream: UnsafeMutablePointer<z_stream>
    private let end: (UnsafeMutablePointer<z_stream>) -> Int32

    /// - Throws: ``CompressionError`` `.noMemory`.
    init(
        _ begin: (UnsafeMutablePointer<z_stream>) -> Int32, end: @escaping (UnsafeMutablePointer<z_stream>) -> Int32
    ) throws(CompressionError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        unsafe self.end = end
        guard unsafe begin(stream) == Z_OK else { throw CompressionError(.noMemory, "zlib: no memory for its window") }
    }

    deinit {
        _ = unsafe end(stream)
        unsafe stream.deallocate()
    }

    /// Calls zlib without data, to reset it or to ask for a bound.
    func ask<Answer>(_ call: (UnsafeMutablePointer<z_stream>) -> Answer) -> Answer { unsafe call(stream) }

    /// One call of zlib on `input` from `offset` on, which moves past what was read; at most `room` bytes come out.
    func step(
        _ input: [UInt8], _ offset: inout Int, room: Int, _ call: (UnsafeMutablePointer<z_stream>) -> Int32
    ) -> (status: Int32, output: [UInt8]) {
        var status = Z_OK
        let begin = offset
        // zlib's interface is older than `const`; it does not write to its input.
        let output = unsafe input.withUnsafeBufferPointer { input in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress?.advanced(by: begin))
            unsafe stream.pointee.avail_in = UInt32(input.count - begin)
            defer {
                offset = unsafe input.count - Int(stream.pointee.avail_in)
                unsafe stream.pointee.next_in = nil
            }
            return unsafe [UInt8](unsafeUninitializedCapacity: room) { output, count in
                unsafe stream.pointee.next_out = output.baseAddress
                unsafe stream.pointee.avail_out = UInt32(output.count)
                status = unsafe call(stream)
                count = unsafe output.count - Int(stream.pointee.avail_out)
            }
        }
        return (status, output)
    }
}
