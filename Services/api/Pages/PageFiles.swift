import Crypto
import HTTP

/// The files of the page, as they were compiled in, with what HTTP wants to know about each.
///
/// They are served under the hash of all of them together, so that a browser may keep each for ever and modules that import
/// one another by relative paths always come from one build.
struct PageFiles: Sendable {
    struct File: Sendable {
        let type: HeaderValue
        let bytes: [UInt8]
        let gzip: [UInt8]
    }

    static let page = "index.html"
    /// What stands in the page where the address of the files belongs.
    static let placeholder = "{{assets}}"

    /// Of every file and its name, in hex.
    let version: String
    /// By path, such as `lib/dom.js`; the page itself is not among them.
    let files: [String: File]
    /// The page, naming the files by their version.
    let index: [UInt8]
    let indexTag: HeaderValue

    /// Those of this program. Each time they are hashed and decoded anew: call it once.
    static func compiledIn() -> PageFiles {
        PageFiles(PackedFiles.all.map { ($0.path.text, $0.text.text, $0.gzip.text) })
    }

    /// - Precondition: one is ``page``, all have types we know, and `gzip` is base 64: they are ours, not input.
    init(_ packed: [(path: String, text: String, gzip: String)]) {
        var digest = SHA256()
        for file in packed.sorted(by: { $0.path < $1.path }) {
            digest.update("\(file.path)\n\(file.text.utf8.count)\n")
            digest.update(file.text)
        }
        let version = String(Hex.encode(digest.finish()).prefix(Self.versionDigits))
        var files: [String: File] = [:]
        for file in packed where file.path != Self.page {
            guard let type = Self.type(of: file.path), let gzip = Base64.decode(file.gzip) else {
                preconditionFailure("\(file.path) was packed wrongly")
            }
            files[file.path] = File(type: type, bytes: Array(file.text.utf8), gzip: gzip)
        }
        guard let page = packed.first(where: { $0.path == Self.page }) else {
            preconditionFailure("\(Self.page) was not packed")
        }
        self.version = version
        self.files = files
        index = Array(page.text.replacing(Self.placeholder, with: "/assets/\(version)").utf8)
        indexTag = HeaderValue("\"\(version)\"") ?? ""
    }

    private static let versionDigits = 20
    private static let types: [String: HeaderValue] = [
        "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml",
        "txt": "text/plain; charset=utf-8",
    ]

    private static func type(of path: String) -> HeaderValue? {
        path.split(separator: ".").last.flatMap { types[String($0)] }
    }
}

extension StaticString {
    fileprivate var text: String { withUTF8Buffer { String(decoding: $0, as: UTF8.self) } }
}
