import Contracts
import FoundationEssentials

/// The command line of the simulator.
struct SimulatorOptions {
    struct Problem: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    private(set) var port: UInt16 = 0
    private(set) var portFile: String?
    private(set) var scenarioFile: String?
    private(set) var loops = 1
    private(set) var wantsHelp = false

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            if name == "-h" || name == "--help" {
                wantsHelp = true
                return
            }
            guard let value = rest.popFirst() else { throw Problem("\(name): a value is missing") }
            switch name {
            case "--port":
                guard let number = UInt16(value) else { throw Problem("--port: \(value) is no port") }
                port = number
            case "--port-file": portFile = value
            case "--scenario": scenarioFile = value
            case "--loops":
                guard let number = Int(value), (1...16).contains(number) else { throw Problem("--loops: from 1 to 16") }
                loops = number
            default: throw Problem("\(name): unknown")
            }
        }
    }

    func scenario() throws -> Scenario {
        guard let scenarioFile else { return Scenario() }
        return try Scenario(json: Array(try Data(contentsOf: URL(filePath: scenarioFile))))
    }
}
