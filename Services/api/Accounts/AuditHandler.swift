import Contracts
import Crypto
import Domain
import HTTP
import ServiceKit
import Storage

/// The audit log of the caller's organization.
struct AuditHandler: Sendable {
    let services: AccountServices

    func list(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let limit = query.int("limit", default: 50, in: AuditLog.limitRange)
        let offset = query.int("offset", default: 0, in: 0...1_000_000)
        let action = query.text("action", maxCharacters: 64)
        let actor = query.text("user_id", maxCharacters: 128)
        try query.finish()
        let page = try await AccountServices.asking {
            try await services.audit.newest(
                of: context.caller.organization, action: action, actor: actor, limit: limit, offset: offset)
        }
        return AccountServices.json(
            PageBody.make(
                "entries", items: page.items.map(Self.line), total: page.total, limit: limit, offset: offset))
    }

    /// The whole chain, one entry a line, as it was hashed.
    func export(_ request: Request, _ context: RequestContext) async throws -> Response {
        let organization = context.caller.organization
        let entry = services.entry(
            .auditExported, context, on: "audit_log", organization.text, from: services.origin(request, context))
        try await AccountServices.asking { try await services.audit.append(entry) }
        let audit = services.audit
        return .stream(type: "application/x-ndjson") { writer in
            var seq: Int64 = 0
            while true {
                let page = try await audit.entries(of: organization, after: seq, limit: AuditLog.limitRange.upperBound)
                for record in page { try await writer.write(CanonicalJSON.encode(Self.line(record)) + [0x0A]) }
                guard page.count == AuditLog.limitRange.upperBound, let last = page.last else { return }
                seq = last.seq
            }
        }
    }

    /// Walks the chain: every number, every link, every hash.
    func verify(_ request: Request, _ context: RequestContext) async throws -> Response {
        let organization = context.caller.organization
        let chain = try await AccountServices.asking { try await services.audit.chain(of: organization) }
        var walk = AuditWalk(
            nextSeq: chain?.firstSeq ?? 1, previous: chain?.base ?? AuditLog.genesis(organization))
        var page: [AuditRecord] = []
        repeat {
            let after = walk.nextSeq - 1
            page = try await AccountServices.asking {
                try await services.audit.entries(of: organization, after: after, limit: AuditLog.limitRange.upperBound)
            }
            // What was appended since the head was read is for the next check.
            for record in page where record.seq <= chain?.lastSeq ?? 0 { walk.check(record) }
        } while walk.isValid && page.count == AuditLog.limitRange.upperBound
        let reachesHead = walk.nextSeq == (chain?.lastSeq ?? 0) + 1 && walk.previous == chain?.head ?? walk.previous
        let isValid = walk.isValid && reachesHead
        return AccountServices.json(
            AuditBody.verification(
                isValid: isValid, checked: walk.checked, brokenAt: isValid ? nil : walk.nextSeq,
                chain: AuditBody.chain(
                    organization, firstSeq: chain?.firstSeq ?? 1, lastSeq: chain?.lastSeq ?? 0,
                    base: Hex.encode(chain?.base ?? walk.previous), head: Hex.encode(chain?.head ?? walk.previous),
                    isHeld: chain?.isHeld ?? false)))
    }

    func hold(_ request: Request, _ context: RequestContext) async throws -> Response {
        let isHeld = try AccountRequests.hold(request.body)
        let entry = services.entry(
            .auditHeld, context, on: "audit_log", context.caller.organization.text,
            from: services.origin(request, context), details: AuditDetails.hold(isHeld))
        try await AccountServices.asking { try await services.audit.hold(isHeld, entry) }
        return AccountServices.json(AuditBody.hold(isHeld))
    }

    @Sendable private static func line(_ record: AuditRecord) -> JSONValue {
        AuditBody.line(
            document: record.document, hash: Hex.encode(record.hash), previous: Hex.encode(record.previous))
    }
}

/// A chain as far as it was looked at.
struct AuditWalk {
    private(set) var nextSeq: Int64
    private(set) var previous: [UInt8]
    private(set) var isValid = true
    private(set) var checked = 0

    init(nextSeq: Int64, previous: [UInt8]) {
        self.nextSeq = nextSeq
        self.previous = previous
    }

    mutating func check(_ record: AuditRecord) {
        guard isValid else { return }
        guard record.seq == nextSeq, record.previous == previous,
            AuditLog.hash(record.document, after: previous) == record.hash
        else { return isValid = false }
        (nextSeq, previous) = (nextSeq + 1, record.hash)
        checked += 1
    }
}
