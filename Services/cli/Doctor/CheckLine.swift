import Contracts
import Platform

extension CommandReports.Check {
    /// A check that found `fault`.
    static func fault(_ fault: Fault, _ name: String, _ message: String, fix: String? = nil) -> Self {
        Self(
            name, fault.weight == .broken ? .failed : .warning, message, code: fault.code, fix: fix ?? fault.fix)
    }

    /// A setting's fault; outside production it only is worth knowing.
    static func fault(_ found: SettingFault, _ name: String, isProduction: Bool) -> Self {
        let isBroken = isProduction && found.fault.weight == .broken
        return Self(
            name, isBroken ? .failed : .warning, "\(found.setting): \(found.reason)", code: found.fault.code,
            fix: found.fault.fix)
    }

    static func note(_ name: String, _ message: String) -> Self { Self(name, .skipped, message) }

    func has(_ faults: Fault...) -> Bool { faults.contains { $0.code == code } }
}

/// One check as a line with its mark, and below it what mends it.
enum CheckLine {
    static func lines(_ check: CommandReports.Check, _ console: Console, indent: String = "") -> [String] {
        let report = VerificationReport(console: console)
        let code = check.code.map { "[\($0)] " } ?? ""
        let message = code + TerminalText.safeLine(check.message)
        let line =
            switch check.status {
            case .passed: report.good(message)
            case .failed: report.bad(message)
            case .warning, .skipped: report.note(message)
            }
        guard let fix = check.fix else { return [indent + line] }
        return [indent + line, "\(indent)    → \(TerminalText.safeLine(fix))"]
    }
}
