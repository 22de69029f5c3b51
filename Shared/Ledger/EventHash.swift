import Contracts
import Crypto
package import Domain

/// The bytes that are hashed for an event. These can never change: every stored log and receipt depends on them.
///
/// - `data_hash = SHA-256(salt ‖ data)`
/// - `hash = SHA-256(prev_hash ‖ JCS{agent, at, data_hash, debate_id, epoch, round, seq, type, v})`
/// - the hash before event 1 is `SHA-256("aragora:v1:" ‖ debate_id)`
package enum EventHash {
    /// The version of these rules, `v` in the hashed header and in the envelope.
    package static let version: Int64 = 1
    /// Bytes of a hash.
    package static let length = 32
    /// Random bytes before the data, so that a hash says nothing about data that was erased.
    package static let saltLength = 16

    /// What `prev_hash` is for the first event of a debate.
    package static func genesis(debateID: String) -> [UInt8] { SHA256.hash("aragora:v1:" + debateID) }

    /// The hash of an event's data under its salt.
    package static func ofData(_ data: [UInt8], salt: [UInt8]) -> [UInt8] { SHA256.hash(salt, data) }

    /// The part of an event that stays when its data is erased.
    package struct Header: Sendable, Equatable {
        package var debateID: String
        package var seq: Int64
        package var epoch: Int64
        package var type: String
        /// 0 when the event belongs to no round.
        package var round: Int64
        /// Nil when the event belongs to no agent.
        package var agent: String?
        /// UTC with milliseconds, `2026-01-02T03:04:05.678Z`.
        package var at: String
        /// 32 bytes.
        package var dataHash: [UInt8]

        package init(
            debateID: String, seq: Int64, epoch: Int64, type: String, round: Int64, agent: String?, at: String,
            dataHash: [UInt8]
        ) {
            self.debateID = debateID
            self.seq = seq
            self.epoch = epoch
            self.type = type
            self.round = round
            self.agent = agent
            self.at = at
            self.dataHash = dataHash
        }

        /// The canonical JSON of the header; the keys below are in canonical order already.
        package var canonicalBytes: [UInt8] {
            var text = JSONText(capacity: 320)
            text.raw("{\"agent\":")
            if let agent { text.string(agent) } else { text.raw("null") }
            text.raw(",\"at\":")
            text.string(at)
            text.raw(",\"data_hash\":")
            text.string(Hex.encode(dataHash))
            text.raw(",\"debate_id\":")
            text.string(debateID)
            text.raw(",\"epoch\":")
            text.number(epoch)
            text.raw(",\"round\":")
            text.number(round)
            text.raw(",\"seq\":")
            text.number(seq)
            text.raw(",\"type\":")
            text.string(type)
            text.raw(",\"v\":")
            text.number(version)
            text.raw("}")
            return text.bytes
        }

        /// The header of an event, with the hash of its data.
        package init(_ event: SealedEvent, debateID: DebateID, dataHash: [UInt8]) {
            self.init(
                debateID: debateID.text, seq: event.seq, epoch: event.epoch, type: event.type,
                round: Int64(event.round),
                agent: event.agent, at: event.at.iso8601, dataHash: dataHash)
        }

        /// The event's hash after the event whose hash is `previous`.
        package func hash(after previous: [UInt8]) -> [UInt8] { SHA256.hash(previous, canonicalBytes) }
    }
}
