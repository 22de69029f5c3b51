import Contracts
import Domain
import PostgresClient
import Storage
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora_api

/// Budgets over HTTP, as the official client asks for them.
@Suite("Budgets in the API", .needsPostgres, .timeLimit(.minutes(1)))
struct BudgetAPITests {
    /// Keys that make providers configured; nobody is asked.
    private static let keys = ["OPENAI_API_KEY": "test-key-of-openai"]
    private static let paid = #"{"topic":"Postgres?","agents":["openai|gpt-4o","openai|gpt-4o","demo"]}"#

    private func create(
        _ api: APIFixture,
        _ body: String = #"{"name":"models","limit_amount":10,"period":"monthly","alert_threshold":75}"#
    ) async throws -> JSONValue {
        let answer = try await api.send("POST", "/api/v1/budgets", body)
        try #require(answer.status == 201, "\(answer.text)")
        return answer.json
    }

    @Test("a budget is made, listed, read, changed, reset and deleted")
    func life() async throws {
        try await APIFixture.with { api in
            let made = try await create(api)
            let id = try #require(made["id"]?.string)
            #expect(made["limit_amount"]?.double == 10 && made["alert_threshold"]?.int == 75)
            #expect(made["spent_amount"]?.double == 0 && made["status"]?.string == "active")
            #expect(made["period_start"]?.string?.hasSuffix("-01T00:00:00.000Z") == true)
            let page = try await api.get("/api/v1/budgets").json
            #expect(page["budgets"]?.array?.first?["id"]?.string == id && page["total"]?.int == 1)
            #expect(try await api.get("/api/v1/budgets/\(id)").json == made)

            let changed = try await api.send("PATCH", "/api/v1/budgets/\(id)", #"{"limit_amount":2.5,"enabled":false}"#)
            #expect(changed.json["limit_amount"]?.double == 2.5 && changed.json["status"]?.string == "disabled")
            #expect(changed.json["name"]?.string == "models")
            let reset = try await api.send("POST", "/api/v1/budgets/\(id)/reset").json
            #expect(reset["period_start"] != made["period_start"] && reset["period_end"] == made["period_end"])
            #expect(try await api.get("/api/v1/budgets/summary").json["active_budgets"]?.int == 0)
            #expect(try await api.send("DELETE", "/api/v1/budgets/\(id)").json["deleted"]?.bool == true)
            for (method, rest) in [
                ("GET", ""), ("DELETE", ""), ("GET", "/alerts"), ("GET", "/transactions"), ("POST", "/reset"),
            ] {
                let answer = try await api.send(method, "/api/v1/budgets/\(id)\(rest)")
                #expect(answer.status == 404 && answer.code == "budget_not_found", "\(method) \(rest)")
            }
        }
    }

    @Test("a debate whose own limit pays nobody is refused with what it needs; one that pays the first phase is not")
    func ownLimit() async throws {
        try await APIFixture.with(Self.keys) { api in
            let paid = Self.paid.dropLast() + #","budget_limit_usd":"#
            let answer = try await api.send("POST", "/api/v1/debates", paid + "0.000001}")
            #expect(answer.status == 400 && answer.code == "validation_error", "\(answer.text)")
            #expect(answer.json["errors"]?.array?.first?["field"]?.string == "budget_limit_usd")
            #expect(answer.json["error"]?.string?.contains("can cost $") == true)
            #expect(try await api.send("POST", "/api/v1/debates", paid + "50}").status == 200)
            let free = #"{"topic":"Postgres?","agents":["demo","demo"],"budget_limit_usd":0.000001}"#
            #expect(try await api.send("POST", "/api/v1/debates", free).status == 200)
        }
    }

    @Test(
        "what is wrong with a budget is said of each field",
        arguments: [
            ("{}", ["name", "limit_amount"]),
            (#"{"name":" ","limit_amount":0}"#, ["name", "limit_amount"]),
            (#"{"name":"a","limit_amount":"1"}"#, ["limit_amount"]),
            (#"{"name":"a","limit_amount":1,"period":"hourly"}"#, ["period"]),
            (#"{"name":"a","limit_amount":1,"alert_threshold":101}"#, ["alert_threshold"]),
            (#"{"name":"a","limit_amount":1,"scope":"team-7"}"#, ["scope"]),
        ])
    func wrong(body: String, fields: [String]) async throws {
        try await APIFixture.with { api in
            let answer = try await api.send("POST", "/api/v1/budgets", body)
            #expect(answer.status == 400)
            let named = answer.json["errors"]?.array?.compactMap { $0["field"]?.string } ?? []
            #expect(Set(named) == Set(fields))
        }
    }

    @Test("members have no access; another organization's budgets are not there")
    func access() async throws {
        try await APIFixture.with { api in
            let id = try #require(try await create(api)["id"]?.string)
            let stranger = OrganizationID(milliseconds: 1, random: [UInt8](repeating: 3, count: 10))
            let budget = try #require(BudgetID(id))
            #expect(try await BudgetStore(pool: api.pool).standing(of: budget, in: stranger) == nil)
            for role in [Role.member, .viewer] { #expect(!role.permissions.contains(.budgetsManage)) }
            #expect(Role.admin.permissions.contains(.budgetsManage))
        }
    }

    @Test("a paid panel that the budget does not cover is 402 and says what is missing; a free one always works")
    func exhausted() async throws {
        try await APIFixture.with(Self.keys) { api in
            let key = ["Idempotency-Key": "once"]
            let first = try await api.send("POST", "/api/v1/debates", Self.paid, headers: key)
            #expect(first.status == 200)
            let id = try #require(
                try await create(api, #"{"name":"tight","limit_amount":0.01,"period":"daily"}"#)["id"]?.string)
            let answer = try await api.send("POST", "/api/v1/debates", Self.paid)
            #expect(answer.status == 402 && answer.code == "budget_exhausted")
            #expect(answer.json["error"]?.string?.hasPrefix("The budget \"tight\" has $0.010000 left until ") == true)
            #expect(answer.json["suggestion"]?.string?.contains("demo") == true)
            #expect(try await api.send("POST", "/api/v1/debates", Self.paid, headers: key).text == first.text)
            #expect(
                try await api.send("POST", "/api/v1/debates", #"{"topic":"Postgres?","agents":["demo","demo"]}"#).status
                    == 200)
            _ = try await api.send("PATCH", "/api/v1/budgets/\(id)", #"{"enabled":false}"#)
            #expect(try await api.send("POST", "/api/v1/debates", Self.paid).status == 200)
        }
    }

    @Test("a check says whether the tightest budget would pay")
    func check() async throws {
        try await APIFixture.with { api in
            let free = try await api.send(
                "POST", "/api/v1/budgets/check", #"{"operation":"debate","estimated_cost":5}"#)
            #expect(free.json["allowed"]?.bool == true && free.json["remaining_budget"]?.isNull == true)
            _ = try await create(api)
            let tight = try await create(api, #"{"name":"tight","limit_amount":1,"period":"daily"}"#)
            let refused = try await api.send(
                "POST", "/api/v1/budgets/check", #"{"operation":"debate","estimated_cost":5}"#)
            #expect(refused.json["allowed"]?.bool == false && refused.json["budget_id"] == tight["id"])
            #expect(refused.json["remaining_budget"]?.double == 1)
            let unknown = try await api.send(
                "POST", "/api/v1/budgets/check", #"{"estimated_cost":5,"budget_id":"bdg_x"}"#)
            #expect(unknown.status == 404)
        }
    }

    @Test("what debates cost a budget, and the alert they raised, can be read and acknowledged")
    func ledger() async throws {
        try await APIFixture.with { api in
            let id = try #require(
                try await create(api, #"{"name":"b","limit_amount":0.0001,"period":"total"}"#)["id"]?.string)
            let debate = try await api.create()
            _ = try await api.pool.execute(
                """
                SELECT open_debate_account(\(debate), NULL::bigint)
                """)
            _ = try await api.pool.execute(
                """
                SELECT * FROM write_paid_intents(true, \(debate), 1, NULL::bigint, ARRAY['r1/propose/a'], ARRAY[1::bigint],
                    ARRAY['a'], ARRAY['openai'], ARRAY['gpt-4o'], ARRAY[1::bigint], ARRAY[90::bigint])
                """)
            let open = try await api.get("/api/v1/budgets/\(id)").json
            #expect(open["reserved_amount"]?.double == 0.00009 && open["status"]?.string == "active")
            _ = try await api.pool.execute(
                """
                UPDATE agent_calls SET state = 'failed', failure = 'cut', settled_at = now(), cost_micro_usd = 85
                """)
            #expect(try await api.get("/api/v1/budgets/\(id)").json["status"]?.string == "warning")
            let charges = try await api.get("/api/v1/budgets/\(id)/transactions").json
            let charge = try #require(charges["transactions"]?.array?.first)
            #expect(charge["debate_id"]?.string == debate && charge["amount"]?.double == 0.000085)
            #expect(try await api.get("/api/v1/budgets/\(id)/transactions?user_id=nobody").json["count"]?.int == 0)
            let alerts = try await api.get("/api/v1/budgets/\(id)/alerts").json
            let alert = try #require(alerts["alerts"]?.array?.first?["id"]?.string)
            #expect(alerts["alerts"]?.array?.first?["acknowledged"]?.bool == false)
            #expect(try await api.send("POST", "/api/v1/budgets/\(id)/alerts/\(alert)/acknowledge").status == 200)
            #expect(try await api.send("POST", "/api/v1/budgets/\(id)/alerts/999/acknowledge").status == 404)
            let seen = try await api.get("/api/v1/budgets/\(id)/alerts").json["alerts"]?.array?.first
            #expect(seen?["acknowledged"]?.bool == true)
        }
    }

    @Test("an estimate by numbers names models, splits their cost, and asks nobody")
    func estimate() async throws {
        try await APIFixture.with(Self.keys) { api in
            let path = "/api/v1/debates/estimate-cost?num_agents=4&num_rounds=2&model_types=gpt-4o,claude-sonnet-4-5"
            let body = try await api.get(path).json
            #expect(body["num_agents"]?.int == 4 && body["num_rounds"]?.int == 2)
            let lines = try #require(body["breakdown_by_model"]?.array)
            #expect(lines.map { $0["provider"]?.string } == ["openai", "anthropic"])
            for line in lines {
                let parts = (line["input_cost_usd"]?.double ?? 0) + (line["output_cost_usd"]?.double ?? 0)
                #expect(abs(parts - (line["subtotal_usd"]?.double ?? -1)) < 1e-9 && parts > 0)
            }
            #expect((body["total_estimated_cost_usd"]?.double ?? 0) > 0)
            #expect(try await api.get("/api/v1/debates/estimate-cost").json["num_rounds"]?.int == 9)
            #expect(try await api.get("/api/v1/debates/estimate-cost?num_agents=99").status == 400)
            #expect(
                try await api.get("/api/v1/debates/estimate-cost?model_types=demo").json["total_estimated_cost_usd"]?
                    .double == 0)
        }
    }
}
