import Testing

@Suite("Taking Swift apart")
struct SwiftTextTests {
    @Test("comments, literals and code end up in their own places")
    func places() {
        let text = SwiftText(
            #"""
            let a = "try! inside" // TODO later
            /* try! /* nested */ still */ let b = #"raw "quoted" \n"#
            let c = "sum \(f("SELECT 1 FROM x")) end"
            """#)
        #expect(!text.code.contains("try!"))
        #expect(text.code.contains("f("))
        #expect(text.comments.map(\.line) == [1, 2])
        #expect(text.literals.map(\.text) == ["try! inside", #"raw "quoted" \n"#, "SELECT 1 FROM x", "sum _ end"])
    }

    @Test("lines keep their numbers across literals of several lines")
    func numbers() {
        let text = SwiftText("let a = \"\"\"\n  one\n  two\n  \"\"\"\nTask.detached {}\n")
        #expect(text.codeLines.first { $0.text.contains("Task.detached") }?.line == 5)
    }

    @Test("a package declaration is read to its body, over several lines, and imports are none")
    func declarations() throws {
        let text = SwiftText(
            "package import Platform\n@inlinable package func f(\n    _ p: UnsafeRawPointer\n) -> Int { 1 }\nfunc g(_ p: UnsafeRawPointer) {}\n"
        )
        let found = try Declarations.package(in: text)
        #expect(found.map(\.line) == [2])
        #expect(found.first?.text.contains("UnsafeRawPointer") == true)
    }
}
