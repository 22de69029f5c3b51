import Contracts
import Domain
import HTTP
import Testing

@testable import ServiceKit
@testable import aragora_api

/// Holds every answer that any test of the API gets against the description: its status, its media type, its error code,
/// and every member of its body.
enum AnswerCheck {
    private static let operations = Dictionary(
        APIDescription.operations.map { ("\($0.method) \($0.path)", $0) }, uniquingKeysWith: { first, _ in first })
    private static let router: Router = {
        var router = Router(rewrite: Routes.normalized)
        for operation in APIDescription.operations {
            router.on(Method(operation.method.uppercased()), operation.path) { _, _ in .text("") }
        }
        return router
    }()

    static func check(_ answer: Answer, to method: String, _ target: String, sourceLocation: SourceLocation) {
        for problem in problems(of: answer, to: method, target) {
            Issue.record("\(method) \(target), \(answer.status): \(problem)", sourceLocation: sourceLocation)
        }
    }

    static func problems(of answer: Answer, to method: String, _ target: String) -> [String] {
        guard let operation = operation(method, target) else {
            // No route: nothing but an error can come back.
            guard answer.status >= 400 else { return ["is no route"] }
            return method == "HEAD" ? [] : Schema.error.problems(with: answer.json)
        }
        // Nobody has described it yet; another test says so.
        guard !operation.answers.contains(where: { $0.schema?.isUndescribed == true }) else { return [] }
        guard method != "HEAD" else {
            let statuses = operation.answers.map(\.status) + operation.errors.map(\.status)
            return statuses.contains(answer.status) ? [] : ["the status is not described"]
        }
        let described = operation.answers.filter { $0.status == answer.status }
        if let code = answer.code.flatMap(ErrorCode.init(rawValue:)), answer.status >= 400 {
            guard operation.errors.contains(code) else { return ["the error \(code.rawValue) is not described"] }
            return Schema.error.problems(with: answer.json)
        }
        guard !described.isEmpty else { return ["the status is not described"] }
        let type = answer.header("Content-Type").map { $0.prefix { $0 != ";" } }
        guard let form = described.first(where: { $0.type == type.map(String.init) }) else {
            return ["the type \(type ?? "none") is not described"]
        }
        return form.schema?.problems(with: answer.json) ?? []
    }

    private static func operation(_ method: String, _ target: String) -> APIOperation? {
        guard let head = try? Request(text: "\(method) \(target) HTTP/1.1\r\nHost: a\r\n\r\n").head else { return nil }
        let template = router.match(head).route.template
        let method = method == "HEAD" ? "GET" : method
        return operations["\(method.lowercased()) \(template)"]
    }
}

extension Schema {
    /// What ``APIDescription`` writes for a route without `answers:`.
    fileprivate var isUndescribed: Bool {
        if case .any = form { name == nil } else { false }
    }
}
