import Contracts
import Domain
import Testing

@Suite("Create request")
struct CreateDebateRequestTests {
    private func parse(_ json: String) throws -> CreateDebateRequest { try .parse(Array(json.utf8)) }

    private func problems(_ json: String) -> [String] {
        do throws(ValidationFailure) {
            _ = try CreateDebateRequest.parse(Array(json.utf8))
            return []
        } catch { return error.problems.map { "\($0.field): \($0.message)" } }
    }

    @Test(
        "takes what the documents tell users to send",
        arguments: [
            (
                #"{"topic": "What is the best database for startups?", "rounds": 2}"#,
                "What is the best database for startups?", 2
            ),
            (#"{"question":"Test question","config":{"rounds":1}}"#, "Test question", 1),
            (#"{"task":"Test question","protocol":{"rounds":4,"consensus":"unanimous"}}"#, "Test question", 4),
            (#"{"task":" padded\n","question":"padded","config":{"rounds":5},"rounds":6}"#, "padded", 6),
            (#"{"config":{"topic":"nested"},"protocol":{"rounds":7,"topic":"other"}}"#, "nested", 7),
            (#"{"question":"abc","rounds":null,"context":null,"agents":null,"metadata":null,"config":null}"#, "abc", 3),
            (#"{"question":"abc","debate_format":"light"}"#, "abc", 1),
            (
                #"{"question":"abc","documents":[1],"enable_x":"?","template":{},"use_trending":3,"vertical_id":null}"#,
                "abc", 3
            ),
        ])
    func documented(json: String, topic: String, rounds: Int) throws {
        let request = try parse(json)
        #expect(request.topic == topic)
        #expect(request.rounds == rounds)
    }

    @Test("reads every field")
    func everyField() throws {
        let request = try parse(
            #"{"question":"abc","context":"c","consensus":"Unanimous","timeout_seconds":60,"budget_limit_usd":0.5,"#
                + #""metadata":{"k":[1]},"auto_select":true,"auto_select_config":{}}"#)
        #expect(request.context == "c")
        #expect(request.consensus == .unanimous)
        #expect(request.timeoutSeconds == 60)
        #expect(request.budget == MicroUSD(500_000))
        #expect(request.metadata["k"] == [1])
        #expect(request.agents.isEmpty)
    }

    @Test(
        "reads agents in every form",
        arguments: [
            (#"["claude","gpt"]"#, ["anthropic-1", "openai-1"]),
            (#""demo, demo,demo""#, ["demo-1", "demo-2", "demo-3"]),
            (#"{"provider":"demo","name":"Zoë"}"#, ["Zoë", "demo-1"]),
            (#"[{"provider":"demo","name":"demo-1"},"demo"]"#, ["demo-1", "demo-2"]),
            (#"["grok|grok-4|careful|critic","gemini:a poet"]"#, ["xai-1", "gemini-1"]),
            (#""demo""#, ["demo-1", "demo-2"]),
            ("[]", []), (#"" , ""#, []),
        ])
    func agents(json: String, names: [String]) throws {
        let wishes = try parse(#"{"question":"abc","agents":\#(json)}"#).agents
        #expect(AgentPanel.make(from: wishes, defaultModel: { "\($0)-model" }).map(\.name) == names)
    }

    @Test("keeps model, persona and role of every form")
    func agentParts() throws {
        let wishes = try parse(
            #"{"question":"abc","agents":["grok|grok-4|careful|critic","ollama||sly","gemini:a poet","#
                + #"{"provider":"openai-api","model":"gpt-5","persona":"p","role":"Judge","name":"n"}]}"#
        ).agents
        #expect(
            wishes == [
                AgentWish(provider: .xai, model: "grok-4", persona: "careful", role: .critic),
                AgentWish(provider: .local, persona: "sly"), AgentWish(provider: .gemini, persona: "a poet"),
                AgentWish(provider: .openai, model: "gpt-5", persona: "p", role: .judge, name: "n"),
            ])
        let panel = AgentPanel.make(from: wishes, defaultModel: { "default-\($0.rawValue)" })
        #expect(panel.map(\.model) == ["grok-4", "default-local", "default-gemini", "gpt-5"])
        #expect(panel.map(\.role) == [.critic, .proposer, .proposer, .judge])
    }

    @Test(
        "refuses what is wrong and says where",
        arguments: [
            ("nonsense", "body: is not valid JSON: no JSON value starts like this at byte 0"),
            ("[]", "body: must be an object, not a list"),
            ("{}", "question: is required (also accepted: task, topic)"),
            (#"{"question":7}"#, "question: must be a string, not a number"),
            (#"{"question":"  ab "}"#, "question: must have from 3 to 10000 characters"),
            (
                #"{"question":"abc","task":"abd"}"#,
                "question: question, task and topic must not differ; send one of them"
            ),
            (#"{"question":"abc","rounds":0}"#, "rounds: must be from 1 to 12"),
            (#"{"question":"abc","rounds":13}"#, "rounds: must be from 1 to 12"),
            (#"{"question":"abc","rounds":1.5}"#, "rounds: must be a whole number"),
            (#"{"question":"abc","rounds":"2"}"#, "rounds: must be a whole number, not a string"),
            (#"{"question":"abc","config":{"rounds":"x"}}"#, "config.rounds: must be a whole number, not a string"),
            (#"{"question":"abc","config":3}"#, "config: must be an object, not a number"),
            (
                #"{"question":"abc","consensus":"byzantine"}"#,
                "consensus: byzantine is not supported; supported: majority, weighted, supermajority, unanimous, any, judge, hybrid, none"
            ),
            (
                #"{"question":"abc","consensus":"x"}"#,
                "consensus: must be one of: majority, weighted, supermajority, unanimous, any, judge, hybrid, none"
            ),
            (#"{"question":"abc","consensus":{}}"#, "consensus: must be a string, not an object"),
            (#"{"question":"abc","timeout_seconds":9}"#, "timeout_seconds: must be from 10 to 86400"),
            (
                #"{"question":"abc","budget_limit_usd":0}"#,
                "budget_limit_usd: must be greater than 0 and at most 100000"
            ),
            (#"{"question":"abc","budget_limit_usd":"1"}"#, "budget_limit_usd: must be a number, not a string"),
            (#"{"question":"abc","metadata":[]}"#, "metadata: must be an object, not a list"),
            (#"{"question":"abc","auto_select":"yes"}"#, "auto_select: must be true or false, not a string"),
            (#"{"question":"abc","debate_format":"huge"}"#, "debate_format: must be one of: light, full"),
            (
                #"{"question":"abc","agents":5}"#,
                "agents: must be a list, a comma-separated string or an object, not a number"
            ),
            (#"{"question":"abc","agents":["demo",5]}"#, "agents[1]: must be a string or an object, not a number"),
            (#"{"question":"abc","agents":[{}]}"#, "agents[0].provider: is required"),
            (
                #"{"question":"abc","agents":[{"provider":"demo","role":"king"}]}"#,
                "agents[0].role: must be one of: proposer, critic, synthesizer, judge, analyst, implementer, planner, devils_advocate"
            ),
            (
                #"{"question":"abc","agents":[{"provider":"demo","name":"a/b"}]}"#,
                "agents[0].name: must have 1 to 64 letters, digits, spaces, dots, dashes or underscores"
            ),
            (
                #"{"question":"abc","agents":[{"provider":"demo","name":"A"},{"provider":"demo","name":"a"}]}"#,
                "agents[1].name: another agent has this name"
            ),
            (#"{"question":"abc","agents":["a|b|c|d|e"]}"#, "agents[0]: has more than provider|model|persona|role"),
            (#"{"question":"abc","agents":"d,d,d,d,d,d,d,d,d,d,d"}"#, "agents: must name at most 10 agents"),
            (
                #"{"question":"abc","question":"abc"}"#,
                "body: is not valid JSON: a key comes twice in one object at byte 18"
            ),
        ])
    func refuses(json: String, problem: String) {
        #expect(problems(json) == [problem])
    }

    @Test("names the providers it knows")
    func unknownProvider() {
        #expect(
            problems(#"{"question":"abc","agents":["nobody"]}"#).first?.hasPrefix(
                "agents[0]: is not a provider we know; known: anthropic") == true)
    }

    @Test("tells every problem at once")
    func allAtOnce() {
        #expect(problems(#"{"rounds":99,"context":1,"agents":["x","y"],"consensus":"?","metadata":1}"#).count == 7)
    }

    @Test("takes texts at their limit and not one character more", arguments: ["question", "context"])
    func lengths(field: String) {
        let other = field == "question" ? "" : #","question":"abc""#
        let body = { (count: Int) in #"{"\#(field)":"\#(String(repeating: "é", count: count))"\#(other)}"# }
        #expect(problems(body(10_000)).isEmpty)
        #expect(problems(body(10_001)).count == 1)
    }

    @Test("takes metadata at its limit and not one byte more")
    func metadataSize() {
        let body = { (count: Int) in #"{"question":"abc","metadata":{"a":"\#(String(repeating: "x", count: count))"}}"#
        }
        #expect(problems(body(16 * 1024 - 8)).isEmpty)
        #expect(problems(body(16 * 1024 - 7)).count == 1)
    }

    @Test("becomes a spec with the panel that was settled on")
    func spec() throws {
        let request = try parse(#"{"question":"abc","agents":"demo","rounds":2}"#)
        let spec = try request.spec(panel: AgentPanel.make(from: request.agents, defaultModel: { _ in "m" }))
        #expect(spec.agents.count == 2)
        #expect(spec.usesDemoAgents)
        #expect(throws: ValidationFailure.self) { try request.spec(panel: []) }
    }
}
