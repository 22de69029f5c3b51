import Contracts
import Domain
import HTTP
import Storage

extension Routes {
    /// Users, roles and the audit log of an organization.
    static let administrationRoutes: [Route] = [
        Route(
            .get, "/api/users", .permission(.usersRead), "The users of the organization, oldest first.",
            items: [.limit(AccountStore.limitRange, standard: 50), .offset], answers: .json(.users)
        ) { $0.accounts.users.list },
        Route(
            .post, "/api/users", .permission(.usersManage),
            "Makes an account, and a token to choose its password with.",
            bodyBytes: AccountRequests.maximumBytes, takes: .init(.userWish), answers: .json(.userCreated, 201),
            refuses: [.emailTaken, .userNotFound]
        ) { $0.accounts.users.create },
        Route(
            .get, "/api/users/{user}", .permission(.usersRead), "One user.", answers: .json(.userAnswer),
            refuses: [.userNotFound]
        ) { $0.accounts.users.get },
        Route(
            .patch, "/api/users/{user}", .permission(.usersManage),
            "Changes name, role, or whether the user may come in.",
            bodyBytes: AccountRequests.maximumBytes, takes: .init(.userChange), answers: .json(.userAnswer),
            refuses: [.userNotFound, .conflict]
        ) { $0.accounts.users.change },
        Route(
            .post, "/api/users/{user}/password-reset", .permission(.usersManage),
            "Makes a token with which the user sets a new password.", answers: .json(.resetIssued),
            refuses: [.userNotFound]
        ) { $0.accounts.users.resetPassword },

        Route(.get, "/api/rbac/roles", .permission(.accountManage), "The roles.", answers: .json(.roles)) {
            $0.accounts.roles.roles
        },
        Route(
            .get, "/api/rbac/roles/{role}", .permission(.accountManage), "One role, by its name or an older one.",
            answers: .json(.role), refuses: [.roleNotFound]
        ) { $0.accounts.roles.role },
        Route(
            .get, "/api/rbac/permissions", .permission(.accountManage), "Every permission there is.",
            answers: .json(.permissions)
        ) { $0.accounts.roles.permissions },
        Route(
            .get, "/api/rbac/assignments", .permission(.usersRead), "Who has which role.",
            items: [.limit(AccountStore.limitRange, standard: 50), .offset], answers: .json(.assignments)
        ) { $0.accounts.roles.assignments },
        Route(
            .get, "/api/rbac/check", .permission(.accountManage), "Whether the caller has a permission.",
            items: [.query("permission", .text(1...100), "Which.", isRequired: true)], answers: .json(.permissionCheck)
        ) { $0.accounts.roles.check },
        Route(
            .post, "/api/rbac/check", .permission(.accountManage), "The same.",
            bodyBytes: AccountRequests.maximumBytes, takes: .init(.permissionQuestion), answers: .json(.permissionCheck)
        ) { $0.accounts.roles.check },

        Route(
            .get, "/api/audit", .permission(.auditRead), "The audit log, newest first.",
            items: [
                .limit(AuditLog.limitRange, standard: 50), .offset,
                .text("action", maximum: 64, "Only of this kind."),
                .text("user_id", maximum: 128, "Only by this subject."),
            ], answers: .json(.auditPage)
        ) { $0.accounts.audit.list },
        Route(
            .get, "/api/audit/export", .permission(.auditRead), "The whole audit log, one JSON object a line.",
            cost: .bulk, answers: .other("application/x-ndjson")
        ) { $0.accounts.audit.export },
        Route(
            .get, "/api/audit/verify", .permission(.auditRead), "Walks the chain of the audit log.", cost: .bulk,
            answers: .json(.auditVerification)
        ) { $0.accounts.audit.verify },
        Route(
            .post, "/api/audit/legal-hold", .permission(.auditManage), "Keeps every entry, or lets retention go on.",
            bodyBytes: AccountRequests.maximumBytes, takes: .init(.holdWish), answers: .json(.auditHold)
        ) { $0.accounts.audit.hold },
    ]
}
