import Contracts
import Crypto
import Platform

/// Looks at the certificate that nginx serves, in its files.
struct CertificateExamination: Sendable {
    typealias Check = CommandReports.Check

    static let maxBytes = 1 << 20
    static let warningDays: Int64 = 14
    private static let secondsPerDay: Int64 = 86_400

    let survey: EnvironmentSurvey
    let context: CommandContext

    func examine() async -> [Check] {
        guard let file = survey.certificate else {
            return [.note("certificate", "certificate: none here; set ARAGORA_TLS_CERT_FILE to have it looked at")]
        }
        do {
            let certificate = try Certificate(pem: await read(file))
            let now = WallClock.nowMilliseconds() / 1000
            var found = [Self.validity(certificate, file, now: now), name(certificate)].compactMap { $0 }
            if let key = survey.certificateKey, !(try certificate.belongs(toKey: await read(key))) {
                found.append(
                    .fault(.certificateKey, "certificate_key", "certificate: \(key) is not the key of \(file)"))
            }
            guard found.isEmpty else { return found }
            let days = (certificate.notAfter - now) / Self.secondsPerDay
            return [Check("certificate", .passed, "certificate: \(file), good for \(days) days")]
        } catch let error as CryptoError {
            return [.fault(.certificateUnreadable, "certificate", "certificate: \(file): \(error.message)")]
        } catch {
            return [.fault(.certificateUnreadable, "certificate", "certificate: \(error)")]
        }
    }

    private static func validity(_ certificate: Certificate, _ file: String, now: Int64) -> Check? {
        func day(_ seconds: Int64) -> String { String(ISO8601.string(milliseconds: seconds * 1000).prefix(10)) }
        if certificate.notAfter <= now {
            return .fault(
                .certificateExpired, "certificate", "certificate: \(file) expired on \(day(certificate.notAfter))")
        }
        if certificate.notBefore > now {
            return .fault(
                .certificateExpired, "certificate",
                "certificate: \(file) is valid from \(day(certificate.notBefore)) on only")
        }
        guard certificate.notAfter - now < warningDays * secondsPerDay else { return nil }
        return .fault(
            .certificateEndsSoon, "certificate", "certificate: \(file) expires on \(day(certificate.notAfter))")
    }

    private func name(_ certificate: Certificate) -> Check? {
        guard let domain = survey.domain, !certificate.names(domain) else { return nil }
        return .fault(.certificateName, "certificate_name", "certificate: it is not for \(domain)")
    }

    private func read(_ file: String) async throws -> [UInt8] {
        try await InputText.read(file, limit: Self.maxBytes, on: context.blocking)
    }
}
