import Contracts
import Domain

// Any body is either refused with at least one named problem or becomes a debate whose event 1 reads back as it was.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    let request: CreateDebateRequest
    do throws(ValidationFailure) {
        request = try CreateDebateRequest.parse(input)
    } catch {
        precondition(!error.problems.isEmpty, "refused without a reason")
        precondition(!ErrorBody(error, traceID: "").bytes.isEmpty)
        return 0
    }
    let wishes = request.agents.isEmpty ? [AgentWish(provider: .demo)] : request.agents
    let panel = AgentPanel.make(from: wishes, defaultModel: { $0.rawValue })
    guard let spec = try? request.spec(panel: panel) else { preconditionFailure("a valid request makes no spec") }
    let event = DebateEvent.debateStart(DebateStart(spec: spec, engineVersion: .current))
    let id = DebateID(milliseconds: 0, random: Array(repeating: 0, count: 10))
    let data = EventCodec.encode(event, debateID: id)
    guard let again = try? EventCodec.decode(type: event.type, data: data) else {
        preconditionFailure("event 1 is unreadable")
    }
    precondition(again == event, "event 1 changed on its way")
    return 0
}
