import Contracts
import FoundationEssentials
import Glibc
import HTTP
import Platform
import Sockets

/// The process: arguments, one server, until a signal.
enum Simulator {
    static let usage = """
        Usage: provider-simulator [--port N] [--port-file FILE] [--scenario FILE] [--loops N]

        Answers as Anthropic (POST /v1/messages), as OpenAI (POST /v1/chat/completions) and as Gemini
        (POST /v1beta/models/NAME:streamGenerateContent) would, streamed or not, with text that follows the prompt: positions, critiques with a SEVERITY line, votes in the four-line form. A request needs
        a key, any key; without one it is refused with 401.

          --port N          port on 127.0.0.1; 0 (the default) lets the system choose
          --port-file FILE  is written with the port once the simulator listens
          --scenario FILE   faults and latencies; see below
          --loops N         event loops, 1 by default

        GET /ledger     what arrived: {"totals":{"sent","completed"},"faults":{kind:n},
                        "keys":{Idempotency-Key:{"sent","completed","model"}},"call_keys":{X-Aragora-Call-Key:{"sent","completed"}}}
        DELETE /ledger  forgets it
        PUT /scenario   replaces the scenario by the request's body
        GET /healthz    200

        A scenario is a JSON object; every member is optional:
          "seed": 1                     for random choices
          "latency": {…}                before the first token
          "token_interval": {…}         before each further token
              {"kind":"fixed","ms":5}  {"kind":"uniform","min_ms":1,"max_ms":9}  {"kind":"lognormal","median_ms":200,"sigma":0.5}
          "answer_words": 60            length of a position
          "rules": [ … ]                the first rule that matches a call decides
              "model": "claude-*"       exact, or a prefix with *
              "api": "anthropic"        or "openai" or "gemini"
              "prompt": "TASK: VOTE"    text that the last message contains
              "nth": [1,3]              counted over the calls that this rule's other conditions match
              "every": 5                each fifth of them
              "probability": 0.1
              "latency", "token_interval"
              "answer": "…"             said word for word
              "fault": {"kind":"status","status":429,"retry_after_seconds":1,"type":"rate_limit_error","message":"…"}
                       {"kind":"error_event","type":"overloaded_error","message":"…","after_tokens":3}
                       {"kind":"cut"} {"kind":"stall"} {"kind":"bad_chunk"}, each with "after_tokens":3
                       {"kind":"empty"}
        """

    static func run(_ arguments: [String]) async {
        let options: SimulatorOptions
        do {
            options = try SimulatorOptions(arguments)
        } catch {
            leave(64, "\(error)\n\n\(usage)")
        }
        guard !options.wantsHelp else {
            print(usage)
            exit(0)
        }
        let shutdown = ShutdownSignal()
        ProcessSignals.forward([SIGTERM, SIGINT]) { _ in shutdown.request() }
        do {
            let loops = try EventLoop.group(count: options.loops, name: "simulator")
            let service = SimulatorService(scenario: try options.scenario())
            let server = try service.server(port: options.port, loops: loops)
            let address = try await server.start()
            if let file = options.portFile {
                try Data("\(address.port)\n".utf8).write(to: URL(filePath: file), options: .atomic)
            }
            print("listening on http://127.0.0.1:\(address.port)")
            fflush(nil)
            await shutdown.wait(for: .draining)
            await server.drain(deadline: .seconds(1))
        } catch {
            leave(70, "\(error)")
        }
    }

    private static func leave(_ code: Int32, _ message: String) -> Never {
        FileHandleOutput.standardError(message)
        exit(code)
    }
}

enum FileHandleOutput {
    static func standardError(_ text: String) {
        let bytes = Array((text + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    }
}
