import Contracts
import Foundation
import HTTP
import Platform
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora_api

@Suite("The page and its files", .needsPostgres, .timeLimit(.minutes(2)))
struct PageTests {
    private static let files = PageFiles.compiledIn()

    @Test("what is compiled in is what is in the folder")
    func packed() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Services/api/Web")
        let found = try FileManager.default.subpathsOfDirectory(atPath: root.path()).filter { $0.contains(".") }
        #expect(Set(found) == Set(Self.files.files.keys).union([PageFiles.page]))
        for path in found where path != PageFiles.page {
            #expect(
                try Self.files.files[path]?.bytes == [UInt8](Data(contentsOf: root.appending(path: path))), "\(path)")
        }
    }

    @Test("every address of the page is one document, for anybody, and says how strictly it is to be taken")
    func document() async throws {
        try await APIFixture.with(["ARAGORA_RATE_LIMIT": "1"]) { api in
            for path in [
                "/", "/debates", "/debates/dbt_x", "/debates/a%20b/receipt", "/spectate/x", "/admin/queue", "/signin",
            ] {
                let answer = try await api.get(path, token: nil)
                #expect(answer.status == 200 && answer.text.hasPrefix("<!doctype html>"), "\(path)")
                #expect(answer.header("Content-Type") == "text/html; charset=utf-8")
                #expect(answer.header("Cache-Control") == "no-cache")
                let policy = try #require(answer.header("Content-Security-Policy"))
                for word in [
                    "default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "trusted-types 'none'",
                ] {
                    #expect(policy.contains(word))
                }
                #expect(!policy.contains("unsafe"))
                for (name, value) in [
                    ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
                    ("X-Frame-Options", "DENY"),
                    ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
                ] { #expect(answer.header(name) == value) }
                #expect(answer.header("X-RateLimit-Limit") == nil)
                #expect(!answer.text.contains(PageFiles.placeholder))
                // What the policy forbids is not asked of the browser either.
                #expect(
                    !answer.text.contains("style=") && !answer.text.contains("<style")
                        && !answer.text.contains("onload"))
            }
            let head = try await api.send("HEAD", "/", token: nil)
            #expect(head.status == 200 && head.text.isEmpty)
            #expect(head.header("Content-Length") == String(Self.files.index.count))
            #expect(try await api.send("POST", "/", token: nil).status == 405)
            #expect(try await api.get("/index.html", token: nil).status == 404)
        }
    }

    @Test("the document is answered 304 while it is the same, however a proxy wrote its tag")
    func unchanged() async throws {
        try await APIFixture.with { api in
            let tag = try #require(try await api.get("/").header("ETag"))
            for named in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
                let answer = try await api.send("GET", "/debates", headers: ["If-None-Match": named])
                #expect(answer.status == 304 && answer.text.isEmpty, "\(named)")
                #expect(answer.header("ETag") == tag && answer.header("Content-Security-Policy") != nil)
            }
            #expect(try await api.send("GET", "/", headers: ["If-None-Match": "\"other\""]).status == 200)
        }
    }

    @Test("every file that the document names is there, for ever under its version and unkept under another")
    func assets() async throws {
        try await APIFixture.with { api in
            let page = try await api.get("/", token: nil).text
            let named = page.matches(of: try Regex(#""(/assets/[^"]+)""#)).compactMap {
                $0[1].substring.map(String.init)
            }
            #expect(named.count > 5)
            for path in named {
                let answer = try await api.get(path, token: nil)
                #expect(answer.status == 200, "\(path)")
                #expect(answer.header("Cache-Control") == "public, max-age=31536000, immutable")
                #expect(answer.header("Vary") == "Accept-Encoding" && answer.header("Content-Encoding") == nil)
            }
            let other = try await api.get("/assets/00000000000000000000/lib/dom.js", token: nil)
            #expect(other.status == 200 && other.header("Cache-Control") == "no-store")
            for path in ["nothing.js", "lib", "lib/..", "lib/%2e%2e%2fmain.js", "index.html", "lib/dom.js/more"] {
                let answer = try await api.get("/assets/\(Self.files.version)/\(path)", token: nil)
                #expect(answer.status == 404, "\(path)")
            }
        }
    }

    @Test("a file comes compressed to who takes that, and is the same")
    func compression() async throws {
        try await APIFixture.with { api in
            let path = "/assets/\(Self.files.version)/css/base.css"
            let file = try #require(Self.files.files["css/base.css"])
            let small = try await api.send("HEAD", path, headers: ["Accept-Encoding": "gzip, deflate, br"])
            #expect(small.header("Content-Encoding") == "gzip")
            #expect(small.header("Content-Length") == String(file.gzip.count))
            #expect(small.header("Content-Type") == "text/css; charset=utf-8")
            let plain = try await api.send("GET", path, headers: ["Accept-Encoding": "gzip;q=0, *;q=0"])
            #expect(Array(plain.text.utf8) == file.bytes && plain.header("Content-Encoding") == nil)
            #expect(file.gzip.count < file.bytes.count / 2)
        }
    }

    @Test(
        "who takes gzip is read as RFC 9110 says",
        arguments: [
            ("gzip", true), ("GZIP", true), ("x-gzip", true), ("*", true), ("br, gzip;q=0.5", true),
            ("gzip ; q=0", false),
            ("*;q=0", false), ("gzip;q=0, *", false), ("br", false), ("", false), ("identity", false),
            ("gzip;q=x", false),
        ])
    func acceptance(field: String, takes: Bool) {
        #expect(PageHandler.takesGzip(field) == takes)
    }

    @Test("another file, or another text, gives another version")
    func versions() {
        func version(_ files: [(String, String)]) -> String {
            PageFiles(([("index.html", "{{assets}}")] + files).map { (path: $0.0, text: $0.1, gzip: "") }).version
        }
        let plain = version([("a.js", "1"), ("b.js", "2")])
        #expect(version([("b.js", "2"), ("a.js", "1")]) == plain)
        let others = [
            [("a.js", "2"), ("b.js", "2")], [("a.js", "1")], [("a.js", "1"), ("c.js", "2")],
            [("a.js", "12"), ("b.js", "")],
        ]
        for other in others { #expect(version(other) != plain) }
    }

    @Test("what everybody loads first is under 100 KB, compressed")
    func weight() {
        let first = Self.files.files.filter { !$0.key.hasPrefix("pages/") || $0.key == "pages/ask.js" }
        let bytes = first.values.map(\.gzip.count).reduce(Self.files.index.count, +)
        #expect(bytes < 100_000, "\(bytes) bytes")
    }
}
