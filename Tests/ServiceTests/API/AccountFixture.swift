import Contracts
import Crypto
import Domain
import Platform
import Testing

@testable import aragora_api

/// Somebody with an account, for one test.
struct Person {
    let email: String
    let password: String
    let id: String
    let organization: String
    var access: String
    var refresh: String

    static let password = "a good long password"
}

extension APIFixture {
    /// Registers; the first of an installation is its administrator.
    func register(_ email: String, organization: String? = nil, address: String? = nil) async throws -> Person {
        let more = organization.map { #","organization":"\#($0)""# } ?? ""
        let answer = try await send(
            "POST", "/api/v1/auth/register", #"{"email":"\#(email)","password":"\#(Person.password)"\#(more)}"#,
            token: nil)
        try #require(answer.status == 201, "\(answer.text)")
        return try person(email, answer.json)
    }

    func login(
        _ email: String, _ password: String = Person.password, _ more: String = "", headers: [String: String] = [:]
    ) async throws -> Answer {
        try await send(
            "POST", "/api/auth/login", #"{"email":"\#(email)","password":"\#(password)"\#(more)}"#, token: nil,
            headers: headers)
    }

    func person(_ email: String, _ body: JSONValue) throws -> Person {
        Person(
            email: email, password: Person.password, id: try #require(body["user"]?["id"]?.string),
            organization: try #require(body["user"]?["org_id"]?.string),
            access: try #require(body["tokens"]?["access_token"]?.string),
            refresh: try #require(body["tokens"]?["refresh_token"]?.string))
    }

    func post(_ target: String, _ body: String? = nil, as person: Person) async throws -> Answer {
        try await send("POST", target, body ?? "", token: person.access)
    }

    /// A new key of this user's.
    func key(of person: Person, _ body: String = #"{"name":"test"}"#) async throws -> String {
        let answer = try await post("/api/auth/api-keys", body, as: person)
        try #require(answer.status == 200, "\(answer.text)")
        return try #require(answer.json["api_key"]?.string)
    }

    /// An account with a role, in the organization of `administrator`.
    func person(_ email: String, _ role: String, by administrator: Person) async throws -> Person {
        let made = try await post("/api/users", #"{"email":"\#(email)","role":"\#(role)"}"#, as: administrator)
        try #require(made.status == 201, "\(made.text)")
        let token = try #require(made.json["reset_token"]?.string)
        let set = try await send(
            "POST", "/api/auth/password/reset", #"{"token":"\#(token)","new_password":"\#(Person.password)"}"#,
            token: nil)
        try #require(set.status == 200, "\(set.text)")
        return try person(email, try await login(email).json)
    }
}
