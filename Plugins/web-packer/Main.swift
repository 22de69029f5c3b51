import CZlib
import Glibc

/// Writes text files as a Swift table of their texts and of the same compressed, for `aragora-api` to serve.
///
/// `web-packer OUTPUT FOLDER FILE…`; the plugin `WebFiles` calls it at each build. A name that is no file, such as a
/// folder's, is left out.
@main
struct WebPacker {
    static func main() {
        let words = CommandLine.arguments
        guard words.count > 3 else { fail("usage: web-packer OUTPUT FOLDER FILE...") }
        let folder = words[2].hasSuffix("/") ? words[2] : words[2] + "/"
        var table = """
            // Made by web-packer of the folder Web at each build.

            /// The files of the page as they were when this program was built, by path.
            enum PackedFiles {
                /// Path, text, and the gzip of the text in base 64.
                static let all: [(path: StaticString, text: StaticString, gzip: StaticString)] = [\n
            """
        for path in words.dropFirst(3).sorted() {
            guard path.hasPrefix(folder), let bytes = read(path) else { continue }
            let name = String(path.dropFirst(folder.count))
            guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0), !bytes.contains(13) else {
                fail("\(path): only texts in UTF-8 without carriage returns can be packed")
            }
            table += "        (\(literal(name)), \(literal(text)), \(literal(base64(gzip(bytes))))),\n"
        }
        save(table + "    ]\n}\n", to: words[1])
    }

    /// A literal with as many number signs as keep the text from ending it.
    private static func literal(_ text: String) -> String {
        var fence = "#"
        while text.contains("\"\"\"" + fence) || text.contains("\\" + fence) { fence += "#" }
        return "\(fence)\"\"\"\n\(text)\n\"\"\"\(fence)"
    }

    private static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { fail("\(path): can not be read") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = fread(&piece, 1, piece.count, file)
            guard count > 0 else { return ferror(file) == 0 ? bytes : nil }
            bytes += piece[..<count]
        }
    }

    private static func save(_ text: String, to path: String) {
        guard let file = fopen(path, "w") else { fail("\(path): can not be written") }
        let isWritten = fputs(text, file) >= 0
        guard fclose(file) == 0, isWritten else { fail("\(path): can not be written") }
    }

    /// One member without name and time, so that the same text gives the same bytes.
    private static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        var stream = z_stream()
        guard czlib_deflate_init_gzip(&stream, Z_BEST_COMPRESSION) == Z_OK else { fail("zlib: no memory") }
        defer { deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))))
        let capacity = UInt32(output.count)
        let result = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = capacity
                return deflate(&stream, Z_FINISH)
            }
        }
        guard result == Z_STREAM_END else { fail("zlib: can not compress") }
        return Array(output[..<Int(capacity - stream.avail_out)])
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let value = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 {
                text.append(place <= group.count ? digits[value >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func fail(_ message: String) -> Never {
        let line = Array("web-packer: \(message)\n".utf8)
        _ = Glibc.write(STDERR_FILENO, line, line.count)
        exit(1)
    }
}
