import Contracts
import Domain

extension DebateRecording {
    /// Why a file is no recording: the line, from 1, and what is wrong with it.
    package struct FileFault: Error, Sendable, CustomStringConvertible {
        package let line: Int
        package let message: String
        package var description: String { "line \(line): \(message)" }
    }

    /// The recording as a file of lines; the same recording gives the same bytes.
    package var file: [UInt8] {
        let lines: [RecordingLine] =
            [.header(debate)] + events.map { .event($0) } + calls.map { .call($0) } + commands.map { .command($0) }
            + (receipt.map { [.receipt($0)] } ?? [])
        return lines.reduce(into: []) { bytes, line in
            bytes += line.encode(of: debate)
            bytes.append(UInt8(ascii: "\n"))
        }
    }

    /// Reads a file back. Nothing is checked but its form: rebuilding it finds the rest.
    /// - Throws: ``FileFault``.
    package init(file bytes: [UInt8]) throws(FileFault) {
        var debate: DebateID?
        var events: [SealedEvent] = []
        var calls: [CallRecord] = []
        var commands: [DebateCommand] = []
        var receipt: [UInt8]?
        var number = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            guard !line.isEmpty else { continue }
            let parsed: RecordingLine
            do throws(ContractError) { parsed = try RecordingLine.parse(Array(line)) } catch {
                throw FileFault(line: number, message: error.message)
            }
            switch parsed {
            case .header(let id): debate = id
            case .event(let event): events.append(event)
            case .call(let call): calls.append(call)
            case .command(let command): commands.append(command)
            case .receipt(let document): receipt = document
            }
        }
        guard let debate else { throw FileFault(line: 1, message: "it is no recording of a debate") }
        self.init(debate: debate, events: events, calls: calls, commands: commands, receipt: receipt)
    }
}
