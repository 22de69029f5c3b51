// What the parser takes, the writer writes in one form: written, read and written again, it is the same value and the
// same bytes. What the parser refuses, it refuses without trapping.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let value = try? JSONParser.parse(input) else { return 0 }
    let canonical = CanonicalJSON.encode(value)
    guard let again = try? JSONParser.parse(canonical) else { preconditionFailure("canonical bytes are refused") }
    precondition(again == value, "the value changed on its way")
    precondition(CanonicalJSON.encode(again) == canonical, "two canonical forms")
    guard let ordered = try? JSONParser.parse(value.bytes) else { preconditionFailure("ordered bytes are refused") }
    precondition(ordered == value, "the value changed in its own order")
    precondition(!canonical.contains(0), "a NUL in canonical bytes")
    return 0
}
