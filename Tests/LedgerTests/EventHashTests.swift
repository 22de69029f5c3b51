import Contracts
import Crypto
import Ledger
import Testing

@Suite("Event hashes")
struct EventHashTests {
    let header = EventHash.Header(
        debateID: "dbt_01jd0000000000000000000000", seq: 7, epoch: 2, type: "agent_message", round: 1,
        agent: "claude \"é\"", at: "2026-01-02T03:04:05.678Z",
        dataHash: EventHash.ofData(Array("{}".utf8), salt: Array(0..<16)))

    @Test("the hashed header is the canonical JSON of its fields", arguments: [nil, "demo-1", "e\u{301}\n"])
    func canonical(agent: String?) {
        var header = header
        header.agent = agent
        let value: JSONValue = [
            "v": 1, "debate_id": .string(header.debateID), "seq": 7, "type": "agent_message", "round": 1,
            "agent": .optional(agent), "at": .string(header.at), "epoch": 2,
            "data_hash": .string(Hex.encode(header.dataHash)),
        ]
        #expect(header.canonicalBytes == CanonicalJSON.encode(value))
    }

    @Test("every field changes the hash")
    func everyField() {
        let genesis = EventHash.genesis(debateID: header.debateID)
        var seen: Set<[UInt8]> = [header.hash(after: genesis), header.hash(after: EventHash.genesis(debateID: "x"))]
        for change in [
            { $0.debateID += "x" }, { $0.seq += 1 }, { $0.epoch += 1 }, { $0.type += "x" }, { $0.round += 1 },
            { $0.agent = nil }, { $0.at += "x" }, { $0.dataHash[31] ^= 1 },
        ] as [(inout EventHash.Header) -> Void] {
            var other = header
            change(&other)
            #expect(seen.insert(other.hash(after: genesis)).inserted)
        }
    }

    @Test("the genesis and the data hash are plain SHA-256 of what ADR and design name")
    func primitives() {
        #expect(EventHash.genesis(debateID: "d") == SHA256.hash("aragora:v1:d"))
        #expect(EventHash.ofData([3], salt: [1, 2]) == SHA256.hash([1, 2, 3]))
    }
}
