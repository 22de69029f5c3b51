import Contracts
import Domain
import Messaging
import Testing

@Suite("Keyspace and hints")
struct KeyspaceTests {
    private let debate = DebateID("dbt_01h2xcejqtf2nbrexx3vqjhp41")!

    @Test("names are the documented ones")
    func names() {
        let keys = Keyspace(generation: 3)
        #expect(keys.jobs == "aragora:v1:jobs:debate")
        #expect(keys.jobsGroup == "debate-workers")
        #expect(keys.deadJobs == "aragora:v1:jobs:debate:dead")
        #expect(keys.events(debate) == "aragora:v1:g3:events:{dbt_01h2xcejqtf2nbrexx3vqjhp41}")
        #expect(keys.live(debate) == "aragora:v1:g3:live:{dbt_01h2xcejqtf2nbrexx3vqjhp41}")
        #expect(keys.control == "aragora:v1:control")
        #expect(keys.rate(scope: "api", subject: "10.0.0.1") == "aragora:v1:rate:api:10.0.0.1")
        #expect(keys.breaker(provider: "openai") == "aragora:v1:breaker:{openai}")
        let restored = Keyspace(prefix: "p", generation: 4, lineage: "7211-2")
        #expect(restored.events(debate) == "p:g4-7211-2:events:{dbt_01h2xcejqtf2nbrexx3vqjhp41}")
    }

    @Test("a live channel leads back to its debate, in its own generation only")
    func channels() {
        let keys = Keyspace(generation: 3)
        #expect(keys.debate(ofLiveChannel: keys.live(debate)) == debate)
        #expect(Keyspace(generation: 4).debate(ofLiveChannel: keys.live(debate)) == nil)
        #expect(keys.debate(ofLiveChannel: "aragora:v1:g3:live:{nonsense}") == nil)
        #expect(keys.debate(ofLiveChannel: keys.control) == nil)
    }

    @Test("a hint is read as it was written")
    func hint() throws {
        let hint = ControlHint(kind: .cancel, debateID: debate.text, epoch: 7)
        #expect(
            String(decoding: hint.bytes, as: UTF8.self)
                == #"{"v":1,"kind":"cancel","debate_id":"dbt_01h2xcejqtf2nbrexx3vqjhp41","epoch":7}"#)
        let read = try ControlHint(decoding: hint.bytes)
        #expect(read == hint)
    }

    @Test(
        "a hint of another form is refused",
        arguments: [
            "", "[]", #"{"v":2,"kind":"cancel","debate_id":"d","epoch":1}"#,
            #"{"v":1,"kind":"stop","debate_id":"d","epoch":1}"#,
            #"{"v":1,"kind":"cancel","epoch":1}"#, #"{"v":1,"kind":"cancel","debate_id":"d","epoch":-1}"#,
            #"{"v":1,"kind":"cancel","debate_id":"d","epoch":"1"}"#, String(repeating: " ", count: 1025),
        ])
    func badHint(text: String) {
        #expect(throws: ContractError.self) { _ = try ControlHint(decoding: Array(text.utf8)) }
    }
}
