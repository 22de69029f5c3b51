import Contracts
import Domain
import FaultSupport
import Glibc
import Platform

/// All that one run did and found, for people and as JSON.
struct ChaosReport: Sendable {
    /// A time and what design §8 aims at.
    struct Aim: Sendable {
        let what: String
        let series: TakeoverTimes.Series
        var p50: Double?
        let p99: Double

        /// Nil when nothing undisturbed was measured.
        var isMet: Bool? {
            guard let high = series.undisturbed.percentile(99), let middle = series.undisturbed.percentile(50) else {
                return nil
            }
            return high <= p99 && middle <= p50 ?? .infinity
        }
    }

    let plan: ChaosPlan
    let skipped: [(kind: ChaosFault.Kind, reason: String)]
    let load: String
    let seconds: Double
    let blows: [ChaosStage.Blow]
    let starts: Int
    let deaths: [ChaosStage.Death]
    let lateDrains: [String]
    let answers: [String: Int]
    let ends: [String: Int]
    let events: Int
    let claims: Int
    let spent: Int64
    let viewerConnections: Int
    /// Debates of a process that was frozen for longer than its lease, which nobody else was able to take.
    let kept: Int
    let verdicts: [FleetAudit.Verdict]
    let aims: [Aim]

    var isClean: Bool { verdicts.allSatisfy(\.problems.isEmpty) }

    private var byKind: [(kind: ChaosFault.Kind, count: Int)] {
        ChaosFault.Kind.allCases.map { kind in (kind, blows.count { $0.fault.kind == kind }) }.filter { $0.count > 0 }
    }

    var text: String {
        var lines = ["", "\(blows.count) faults were done in \(Int(seconds)) s; \(starts) processes were started:"]
        lines += byKind.map { "  \(Self.padded($0.kind.rawValue, 20)) \($0.count)" }
        for (kind, reason) in skipped { lines.append("  \(Self.padded(kind.rawValue, 20)) left out: \(reason)") }
        lines.append(
            "debates: " + Self.list(ends)
                + "; \(events) events, \(claims) changes of a holder, \(spent) micro-USD spent")
        lines.append("viewers connected \(viewerConnections) times")
        lines.append("answers: " + Self.list(answers))
        if !deaths.isEmpty {
            let all = Dictionary(grouping: deaths) { "\($0.member.product) \($0.end)" }.mapValues(\.count)
            lines.append("ended by themselves, and were started again: " + Self.list(all))
        }
        for late in lateDrains { lines.append("drained late: \(late)") }
        for aim in aims {
            let met = aim.isMet.map { $0 ? "met" : "NOT met" } ?? "nothing measured"
            lines.append(
                "\(aim.what): \(Self.figures(aim.series.undisturbed)); aim p99 ≤ \(Int(aim.p99)) ms"
                    + (aim.p50.map { ", p50 ≤ \(Int($0)) ms" } ?? "") + ": \(met)"
                    + "; beside other faults \(Self.figures(aim.series.disturbed))"
                    + (aim.series.worst.map { "; the longest: \($0.what)" } ?? ""))
        }
        if kept > 0 { lines.append("frozen for longer than a lease, and not taken over before going on: \(kept)") }
        lines.append(isClean ? "every check passed" : "CHECKS FAILED")
        return lines.joined(separator: "\n")
    }

    private static func figures(_ values: [Double]) -> String {
        guard let middle = values.percentile(50), let high = values.percentile(99), let most = values.max() else {
            return "none"
        }
        return "\(values.count) times, p50 \(Int(middle)) ms, p99 \(Int(high)) ms, most \(Int(most)) ms"
    }

    private static func list(_ counts: [String: Int]) -> String {
        counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }

    static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    func write(to path: String) -> Bool {
        guard let file = fopen(path, "we") else { return false }
        let bytes = json.bytes + [UInt8(ascii: "\n")]
        let written = fwrite(bytes, 1, bytes.count, file)
        return fclose(file) == 0 && written == bytes.count
    }

    private var json: JSONValue {
        func counts(_ counts: [String: Int]) -> JSONValue {
            .object(JSONObject(counts.sorted { $0.key < $1.key }.map { ($0.key, .int(Int64($0.value))) }))
        }
        return [
            "seed": .int(Int64(plan.seed)), "plan": .string(plan.digest), "load": .string(load),
            "seconds": .double((seconds * 10).rounded() / 10), "clean": .bool(isClean),
            "faults": counts(Dictionary(byKind.map { ($0.kind.rawValue, $0.count) }) { $1 }),
            "left_out": .object(JSONObject(skipped.map { ($0.kind.rawValue, .string($0.reason)) })),
            "starts": .int(Int64(starts)), "late_drains": .array(lateDrains.map { .string($0) }),
            "ended_by_themselves": .array(deaths.map { .string("\($0.member): \($0.end)") }),
            "debates": counts(ends), "events": .int(Int64(events)), "claims": .int(Int64(claims)),
            "spent_micro_usd": .int(spent),
            "viewer_connections": .int(Int64(viewerConnections)), "answers": counts(answers),
            "kept_by_the_frozen": .int(Int64(kept)), "times": .array(aims.map(Self.json)),
            "checks": .array(
                verdicts.map { verdict in
                    [
                        "promise": .string(verdict.promise), "examined": .int(Int64(verdict.examined)),
                        "problems": .array(verdict.problems.map { .string($0) }),
                    ]
                }),
        ]
    }

    private static func json(_ aim: Aim) -> JSONValue {
        func series(_ values: [Double]) -> JSONValue {
            func figure(_ value: Double?) -> JSONValue { value.map { .double($0.rounded()) } ?? .null }
            return [
                "count": .int(Int64(values.count)), "p50_ms": figure(values.percentile(50)),
                "p99_ms": figure(values.percentile(99)), "most_ms": figure(values.max()),
            ]
        }
        return [
            "what": .string(aim.what), "undisturbed": series(aim.series.undisturbed),
            "beside_other_faults": series(aim.series.disturbed), "aim_p99_ms": .double(aim.p99),
            "longest": aim.series.worst.map { .string($0.what) } ?? .null, "met": aim.isMet.map { .bool($0) } ?? .null,
        ]
    }
}
