import Contracts
import Domain
import HTTP

extension Routes {
    /// What an organization's debates may cost.
    static let budgetRoutes: [Route] = [
        Route(
            .get, "/api/budgets", .permission(.budgetsManage), "The organization's budgets and how they stand.",
            items: paging, answers: .json(.budgetPage)
        ) { $0.budgets.list },
        Route(
            .post, "/api/budgets", .permission(.budgetsManage), "Sets a limit for each period.",
            takes: .init(.createBudget), answers: .json(.budget, 201)
        ) { $0.budgets.create },
        Route(
            .get, "/api/budgets/summary", .permission(.budgetsManage), "All budgets in a few numbers.",
            answers: .json(.budgetSummary)
        ) { $0.budgets.summary },
        Route(
            .post, "/api/budgets/check", .permission(.budgetsManage),
            "Whether so much would be paid; reserves nothing.",
            takes: .init(.checkBudget), answers: .json(.budgetCheck), refuses: [.budgetNotFound]
        ) { $0.budgets.check },
        Route(
            .get, "/api/budgets/{budget}", .permission(.budgetsManage), "One budget.", answers: .json(.budget),
            refuses: [.budgetNotFound]
        ) { $0.budgets.get },
        Route(
            .patch, "/api/budgets/{budget}", .permission(.budgetsManage), "Changes what is given.",
            takes: .init(.changeBudget), answers: .json(.budget), refuses: [.budgetNotFound]
        ) { $0.budgets.change },
        Route(
            .delete, "/api/budgets/{budget}", .permission(.budgetsManage), "Limits nothing any more.",
            answers: .json(.budgetDeleted), refuses: [.budgetNotFound]
        ) { $0.budgets.delete },
        Route(
            .post, "/api/budgets/{budget}/reset", .permission(.budgetsManage), "Begins a new period now.",
            answers: .json(.budget), refuses: [.budgetNotFound]
        ) { $0.budgets.reset },
        Route(
            .get, "/api/budgets/{budget}/alerts", .permission(.budgetsManage),
            "When its threshold was crossed, newest first.", items: paging, answers: .json(.budgetAlerts),
            refuses: [.budgetNotFound]
        ) { $0.budgets.alerts },
        Route(
            .post, "/api/budgets/{budget}/alerts/{alert}/acknowledge", .permission(.budgetsManage),
            "Says that somebody saw it.", answers: .json(.acknowledged), refuses: [.budgetNotFound, .notFound]
        ) { $0.budgets.acknowledge },
        Route(
            .get, "/api/budgets/{budget}/transactions", .permission(.budgetsManage),
            "What each debate cost it, newest first.",
            items: paging + [
                .time("date_from", "Of debates created at or after this time"),
                .time("date_to", "Of debates created until this time"),
                .text("user_id", maximum: 128, "Of debates that this subject created."),
            ], answers: .json(.budgetTransactions), refuses: [.budgetNotFound]
        ) { $0.budgets.transactions },
    ]

    private static let paging: [RouteItem] = [.limit(BudgetsHandler.limitRange, standard: 50), .offset]
}
