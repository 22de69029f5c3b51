/// What a request may be allowed to do. Every route declares one.
package enum Permission: String, Sendable, CaseIterable {
    case debatesCreate = "debates.create"
    case debatesRead = "debates.read"
    /// Cancel, pause, resume, remark; of one's own debates, for administrators of all.
    case debatesUpdate = "debates.update"
    /// Erase and hide one's own debates, for administrators all.
    case debatesDelete = "debates.delete"
    case receiptsRead = "receipts.read"
    case exportRead = "export.read"
    case knowledgeRead = "knowledge.read"
    /// Write facts down, take away what is one's own; administrators all.
    case knowledgeUpdate = "knowledge.update"
    /// One's own account: profile, password, second factor, sessions, keys.
    case accountManage = "account.manage"
    /// What debates may cost.
    case budgetsManage = "budgets.manage"
    /// Where the organization is told what happened, with the secrets of it.
    case webhooksManage = "webhooks.manage"
    case usersRead = "users.read"
    case usersManage = "users.manage"
    case auditRead = "audit.read"
    case auditManage = "audit.manage"
    /// What tells of the installation: details of health, settings.
    case adminRead = "admin.read"
    /// What changes the installation: its queue.
    case adminManage = "admin.manage"

    /// Members and viewers do not have it.
    package var isForAdministrators: Bool {
        switch self {
        case .budgetsManage, .webhooksManage, .usersRead, .usersManage, .auditRead, .auditManage, .adminRead,
            .adminManage:
            true
        default: false
        }
    }

    /// Viewers have it: it changes nothing but one's own account.
    package var isReading: Bool {
        switch self {
        case .debatesRead, .receiptsRead, .exportRead, .knowledgeRead, .accountManage: true
        default: false
        }
    }

    /// Of the installation as a whole, not of one organization: only the default organization's administrators have it.
    package var concernsInstallation: Bool { self == .adminRead || self == .adminManage }
}
