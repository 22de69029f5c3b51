import Contracts
import Crypto
import Domain
import HTTP
import Platform
import ServiceKit
import Storage

/// Budgets of the caller's organization.
struct BudgetsHandler: Sendable {
    static let limitRange = 1...100
    static let maxOffset = 1_000_000

    let stores: APIStores
    let trail: AuditTrail

    func list(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let (limit, offset) = Self.page(&query)
        try query.finish()
        let all = try await standings(context)
        let rows = all.dropFirst(offset).prefix(limit).map(Self.json)
        return Self.answer(PageBody.make("budgets", items: Array(rows), total: all.count, limit: limit, offset: offset))
    }

    func create(_ request: Request, _ context: RequestContext) async throws -> Response {
        let wish = try BudgetRequest.create(request.body)
        let now = Timestamp(milliseconds: WallClock.nowMilliseconds())
        let budget = Budget(
            id: BudgetID(milliseconds: now.milliseconds, random: try RandomBytes.make(10)),
            organization: context.caller.organization, name: wish.name, limit: wish.limit, period: wish.period,
            alertThreshold: wish.alertThreshold, createdBy: context.caller.subject, createdAt: now, updatedAt: now)
        let entry = trail.entry(
            .budgetCreated, request, context, on: "budget", budget.id.text, AuditDetails.budget(wish.limit))
        guard try await ask({ try await stores.budgets.create(budget, entry) }) else {
            throw APIError(
                ValidationFailure([FieldProblem("budgets", "an organization has at most \(BudgetStore.maxBudgets)")]))
        }
        return Self.answer(Self.json(try await standing(budget.id, context)), status: .created)
    }

    func get(_ request: Request, _ context: RequestContext) async throws -> Response {
        Self.answer(Self.json(try await standing(try Self.id(context), context)))
    }

    func change(_ request: Request, _ context: RequestContext) async throws -> Response {
        let (id, wish) = (try Self.id(context), try BudgetRequest.change(request.body))
        var change = BudgetStore.Change()
        (change.name, change.limit) = (wish.name, wish.limit)
        (change.alertThreshold, change.isEnabled) = (wish.alertThreshold, wish.isEnabled)
        let entry = trail.entry(
            .budgetChanged, request, context, on: "budget", id.text, AuditDetails.budget(wish.limit))
        let final = change
        try await found { try await stores.budgets.change(id, in: context.caller.organization, to: final, entry) }
        return Self.answer(Self.json(try await standing(id, context)))
    }

    func delete(_ request: Request, _ context: RequestContext) async throws -> Response {
        let id = try Self.id(context)
        let entry = trail.entry(.budgetDeleted, request, context, on: "budget", id.text)
        try await found { try await stores.budgets.delete(id, in: context.caller.organization, entry) }
        return Self.answer(BudgetBody.deleted(id))
    }

    func reset(_ request: Request, _ context: RequestContext) async throws -> Response {
        let id = try Self.id(context)
        let entry = trail.entry(.budgetReset, request, context, on: "budget", id.text)
        try await found { try await stores.budgets.reset(id, in: context.caller.organization, entry) }
        return Self.answer(Self.json(try await standing(id, context)))
    }

    func summary(_ request: Request, _ context: RequestContext) async throws -> Response {
        Self.answer(BudgetBody.summary(try await standings(context).map { ($0.budget, $0.usage) }))
    }

    /// Whether something that costs so much would be paid; reserves nothing.
    func check(_ request: Request, _ context: RequestContext) async throws -> Response {
        let wish = try BudgetRequest.check(request.body)
        var all = try await standings(context)
        if let budget = wish.budget {
            all = all.filter { $0.budget.id.text == budget }
            guard !all.isEmpty else { throw APIError(.budgetNotFound) }
        }
        let tightest = all.filter(\.budget.isEnabled).min { $0.usage.remainder < $1.usage.remainder }
        return Self.answer(BudgetBody.check(cost: wish.cost, tightest: tightest.map { ($0.budget, $0.usage) }))
    }

    func alerts(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let (limit, offset) = Self.page(&query)
        try query.finish()
        let budget = try await standing(try Self.id(context), context).budget.id
        let rows = try await ask { try await stores.budgets.alerts(of: budget, limit: limit, offset: offset) }.map {
            BudgetBody.alert(
                $0.alert, debate: $0.debate, raisedAt: $0.raisedAt, acknowledgedAt: $0.acknowledgedAt,
                by: $0.acknowledgedBy)
        }
        return Self.answer(["alerts": .array(rows), "count": .int(Int64(rows.count))])
    }

    func acknowledge(_ request: Request, _ context: RequestContext) async throws -> Response {
        let budget = try await standing(try Self.id(context), context).budget.id
        guard let alert = Int64(context.parameter("alert")) else { throw APIError(.notFound, "Alert not found.") }
        let isThere = try await ask {
            try await stores.budgets.acknowledge(alert, of: budget, by: context.caller.subject)
        }
        guard isThere else { throw APIError(.notFound, "Alert not found.") }
        return Self.answer(["success": true, "acknowledged": true])
    }

    func transactions(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let (limit, offset) = Self.page(&query)
        let (since, until) = (query.time("date_from"), query.time("date_to"))
        let user = query.text("user_id", maxCharacters: 128)
        try query.finish()
        let budget = try await standing(try Self.id(context), context).budget.id
        let charges = try await ask {
            try await stores.budgets.charges(
                of: budget, since: since, until: until, user: user, limit: limit, offset: offset)
        }
        let rows = charges.map {
            BudgetBody.transaction(
                $0.debate, budget: budget, user: $0.user, at: $0.at, spent: $0.spent, isOver: $0.isOver)
        }
        return Self.answer(["transactions": .array(rows), "count": .int(Int64(rows.count))])
    }

    // MARK: Parts

    private func standings(_ context: RequestContext) async throws -> [BudgetStore.Standing] {
        try await ask { try await stores.budgets.standings(of: context.caller.organization) }
    }

    private func standing(_ id: BudgetID, _ context: RequestContext) async throws -> BudgetStore.Standing {
        let found = try await ask { try await stores.budgets.standing(of: id, in: context.caller.organization) }
        guard let found else { throw APIError(.budgetNotFound) }
        return found
    }

    private func found(_ body: () async throws -> Bool) async throws {
        guard try await ask(body) else { throw APIError(.budgetNotFound) }
    }

    private func ask<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch { throw APIError.unavailable(error) }
    }

    private static func id(_ context: RequestContext) throws -> BudgetID {
        guard let id = BudgetID(context.parameter("budget")) else { throw APIError(.budgetNotFound) }
        return id
    }

    private static func page(_ query: inout QueryReader) -> (limit: Int, offset: Int) {
        (query.int("limit", default: 50, in: limitRange), query.int("offset", default: 0, in: 0...maxOffset))
    }

    private static func json(_ standing: BudgetStore.Standing) -> JSONValue {
        BudgetBody.json(standing.budget, standing.window, standing.usage)
    }

    private static func answer(_ body: JSONValue, status: Status = .ok) -> Response {
        .json(CanonicalJSON.encode(body), status: status)
    }
}
