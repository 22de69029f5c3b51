import Testing

@testable import BackupCore

@Suite("Child processes")
struct ChildProcessTests {
    private func child(_ program: String, _ arguments: [String] = [], _ environment: [String: String] = [:])
        -> ChildProcess
    {
        var environment = environment
        environment["PATH"] = "/usr/bin:/bin"
        return ChildProcess(program: program, arguments: arguments, environment: environment)
    }

    @Test("a child reads its input and writes its output at the same time, however much it is")
    func copies() throws {
        var sent = 0
        var received = 0
        let exit = try child("cat").run(
            stop: StopFlag(),
            input: {
                guard sent < 200 else { return nil }
                sent += 1
                return [UInt8](repeating: 7, count: 50_000)
            }, output: { received += $0.count })
        #expect(exit.code == 0)
        #expect(received == 200 * 50_000)
    }

    @Test("a failing child's exit code and words are told, and its environment is only what it was given")
    func fails() throws {
        let exit = try child("sh", ["-c", "echo $WORD >&2; echo $HOME$USER >&2; exit 3"], ["WORD": "broken"])
            .run(stop: StopFlag())
        #expect(exit.code == 3)
        #expect(exit.standardError == "broken\n\n")
        #expect(throws: BackupError.self) { try child("sh", ["-c", "exit 1"]).runChecked(stop: StopFlag()) }
    }

    @Test("a child that ends without reading its input is an exit code, not a signal to us")
    func deaf() throws {
        let exit = try child("sh", ["-c", "exec 0<&-; exit 5"]).run(
            stop: StopFlag(), input: { [UInt8](repeating: 0, count: 1 << 20) })
        #expect(exit.code == 5)
    }

    @Test("a child killed by a signal is told from one that ended")
    func killed() throws {
        #expect(try child("sh", ["-c", "kill -9 $$"]).run(stop: StopFlag()).code == 137)
    }

    @Test("a program that is not there says so")
    func missing() throws {
        let error = #expect(throws: BackupError.self) { try child("no-such-program").run(stop: StopFlag()) }
        #expect(error?.code == .unavailable)
    }

    @Test("a run that is told to stop kills its child")
    func stopped() throws {
        let flag = StopFlag()
        let error = #expect(throws: BackupError.self) {
            _ = try child("sh", ["-c", "echo begun; exec sleep 1000"]).run(stop: flag, output: { _ in flag.raise() })
        }
        #expect(error?.code == .cancelled)
    }

    @Test(
        "a tool's version is read from what it says",
        arguments: [
            ("pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n", 15), ("psql (PostgreSQL) 16.1\n", 16),
            ("pg_dump (PostgreSQL) 18devel\n", 18),
        ])
    func versions(text: String, major: Int) { #expect(PostgresTools.majorVersion(in: text) == major) }

    @Test("other words are no version")
    func noVersion() { #expect(PostgresTools.majorVersion(in: "hello") == nil) }
}
