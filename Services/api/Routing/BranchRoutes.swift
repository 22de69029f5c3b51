import Contracts
import Domain
import HTTP

extension Routes {
    /// Debates that continue others.
    static let branchRoutes: [Route] = [
        Route(
            .post, "/api/debates/{id}/fork", .permission(.debatesCreate),
            "Another debate that shares its first `branch_point` rounds, with `changes`: any field of a create.",
            cost: .create, items: [.idempotencyKey], takes: .init(.fork), answers: .json(.forked),
            refuses: refusals
        ) { $0.branches.fork },
        Route(
            .get, "/api/debates/{id}/forks", .permission(.debatesRead), "The debates that branched off it.",
            answers: .json(.forkPage)
        ) { $0.branches.forks },
        Route(
            .get, "/api/debates/{id}/followups", .permission(.debatesRead),
            "What it left open, as questions: surviving minorities, dissent, no agreement.",
            cost: .search, answers: .json(.followUpPage)
        ) { $0.branches.suggestions },
        Route(
            .post, "/api/debates/{id}/followup", .permission(.debatesCreate),
            "Another debate about one of these: `crux_id`, or a `question`, and `context`.",
            cost: .create, items: [.idempotencyKey], takes: .init(.followUp), answers: .json(.followedUp),
            refuses: refusals
        ) { $0.branches.followUp },
    ]

    private static let refusals: [ErrorCode] = [
        .noAgents, .budgetExhausted, .idempotencyConflict, .idempotencyInProgress, .invalidIdempotencyKey,
        .notConfigured,
        .debateErased,
    ]
}
