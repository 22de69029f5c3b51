import Domain

/// Accounts: who may come in, and what they may do.
extension Schema {
    private static let email = text(3...254).saying("An address; capitals do not matter.")
    private static let newPassword = text(AccountRequests.passwordCharacters)
    private static let organizationID = text(pattern: "^org_(default|[0-9a-hjkmnp-tv-z]{26})$")
    private static let userID = text(pattern: "^usr_[0-9a-hjkmnp-tv-z]{26}$")
    private static let sessionID = text(pattern: "^ses_[0-9a-hjkmnp-tv-z]{26}$")
    private static let keyID = text(pattern: "^key_[0-9a-hjkmnp-tv-z]{26}$")
    private static let code = text(1...16)
    private static let roleName = word(Role.allCases.map(\.rawValue))
    private static let givenRole = word(Role.allCases.map(\.rawValue) + Role.aliases.keys.sorted())
    package static let permissionName = word(Permission.allCases.map(\.rawValue))

    // MARK: Requests

    package static let registration = input([
        "email": email, "password": newPassword, "name": text(0...100).ifGiven,
        "organization": text(0...100).ifGiven.saying("Founds an organization of this name."),
    ]).named("Registration")
    package static let login = input([
        "email": email, "password": text(1...1024), "mfa_code": text(0...16).ifGiven, "code": text(0...16).ifGiven,
    ]).named("Login")
    package static let secondFactor = input(["code": code, "pending_token": text(0...4096).ifGiven])
        .named("SecondFactor")
    package static let secondFactorProof = input(["password": text(0...1024).ifGiven, "code": text(0...16).ifGiven])
        .saying("One of the two is needed.").named("SecondFactorProof")
    package static let secondFactorAction = input([
        "action": word(["setup", "enable", "verify", "disable", "backup_codes", "backup-codes"]),
        "code": text(0...16).ifGiven, "password": text(0...1024).ifGiven, "pending_token": text(0...4096).ifGiven,
    ]).named("SecondFactorAction")
    package static let refreshRequest = input(["refresh_token": text(1...4096)]).named("RefreshRequest")
    package static let passwordChange = input(["current_password": text(1...1024), "new_password": newPassword])
        .named("PasswordChange")
    package static let passwordForgotten = input(["email": email]).named("PasswordForgotten")
    package static let passwordReset = input([
        "token": text(1...256), "new_password": newPassword.ifGiven, "password": newPassword.ifGiven,
    ]).saying("The new password comes under either name.").named("PasswordReset")
    package static let profile = input(["name": text(0...100).ifGiven]).named("Profile")
    package static let keyWish = input([
        "name": text(1...100).ifGiven,
        "scopes": list(either(permissionName, constant("*")), maximum: 100).ifGiven.saying(
            "What the key may; all that its user may unless told."),
        "expires_at": either(time, amount).ifGiven.saying("A year from now unless told."),
    ]).named("KeyWish")
    package static let userWish = input(["email": email, "name": text(0...100).ifGiven, "role": givenRole.ifGiven])
        .named("UserWish")
    package static let userChange = input([
        "name": text(0...100).ifGiven, "role": givenRole.ifGiven, "is_active": boolean.ifGiven,
    ]).named("UserChange")
    package static let holdWish = input(["legal_hold": .boolean]).named("HoldWish")
    package static let permissionQuestion = input(["permission": text(1...100)]).named("PermissionQuestion")

    // MARK: Answers

    package static let user = object([
        "id": userID, "email": .text, "name": .text, "org_id": organizationID, "role": roleName, "is_active": .boolean,
        "email_verified": .boolean, "created_at": .time, "updated_at": .time, "last_login_at": time.orNull,
        "has_api_key": .boolean, "token_version": .count, "mfa_enabled": .boolean,
        "mfa_grace_period_started_at": time.orNull, "is_service_account": .boolean,
        "service_account_scopes": list(.text),
    ]).named("User")
    private static let organization = object([
        "id": organizationID, "name": .text, "slug": .text, "created_at": .time,
    ]).named("Organization")
    private static let tokens = object([
        "access_token": .text, "refresh_token": .text, "token_type": .constant("Bearer"), "expires_in": .count,
        "expires_at": .time,
    ]).named("Tokens")
    package static let signedIn = object([
        "user": user, "tokens": tokens, "organization": organization.orNull, "organizations": list(organization),
    ]).named("SignedIn")
    private static let secondFactorNeeded = object([
        "mfa_required": .constant(true), "pending_token": .text, "message": .text,
    ]).named("SecondFactorNeeded")
    package static let loginAnswer = either(signedIn, secondFactorNeeded).named("LoginAnswer")
    package static let refreshed = object(["tokens": tokens]).named("Refreshed")
    package static let me = object([
        "user": user, "organization": organization.orNull, "organizations": list(organization),
    ]).named("Me")
    package static let done = object(["message": .text, "success": .constant(true)]).named("Done")
    package static let loggedOut = object([
        "message": .text, "success": .constant(true), "sessions_invalidated": .boolean,
    ]).named("LoggedOut")
    package static let secondFactorStarted = object([
        "secret": .text, "provisioning_uri": .text, "message": .text,
    ]).named("SecondFactorStarted")
    package static let backupCodes = object([
        "message": .text, "backup_codes": list(.text), "warning": .text, "sessions_invalidated": .boolean,
    ]).named("BackupCodes")
    package static let secondFactorVerified = either(
        object(["message": .text]).and([
            "user": user, "tokens": tokens, "organization": organization.orNull, "organizations": list(organization),
        ]).named("SecondFactorVerified"), backupCodes, done
    ).named("SecondFactorAnswer")
    package static let secondFactorAnyAnswer = either(secondFactorStarted, secondFactorVerified)
        .named("SecondFactorActionAnswer")
    private static let session = object([
        "id": sessionID, "created_at": .time, "last_used": .time, "expires_at": .time, "ip": .text, "user_agent": .text,
        "current": .boolean,
    ]).named("Session")
    package static let sessions = object([
        "sessions": list(session), "items": list(session), "total": .count, "count": .count,
    ]).named("Sessions")
    private static let keyMembers: KeyValuePairs<String, Schema> = [
        "id": keyID, "prefix": .text, "name": .text, "scopes": list(permissionName).orNull, "created_at": .time,
        "expires_at": time.orNull, "last_used_at": time.orNull,
    ]
    package static let keyCreated = object(["api_key": .text]).and(keyMembers).and(["message": .text])
        .named("KeyCreated")
    private static let key = object(keyMembers).named("Key")
    package static let keys = object([
        "keys": list(key), "items": list(key), "count": .count, "total": .count,
    ]).named("Keys")

    package static let userAnswer = object(["user": user]).named("UserAnswer")
    package static let userCreated = object(["user": user, "reset_token": .text, "expires_at": .time])
        .named("UserCreated")
    package static let users = page("users", of: user).named("Users")
    package static let resetIssued = object(["reset_token": .text, "expires_at": .time, "message": .text])
        .named("ResetIssued")

    package static let role = object([
        "id": roleName, "name": roleName, "description": .text, "permissions": list(permissionName),
        "aliases": list(.text), "is_system": .boolean,
    ]).named("Role")
    package static let roles = page("roles", of: role).named("Roles")
    private static let permission = object([
        "id": permissionName, "name": permissionName, "resource": .text, "action": .text,
    ]).named("Permission")
    package static let permissions = page("permissions", of: permission).named("Permissions")
    package static let assignments = page(
        "assignments",
        of: object([
            "user_id": userID, "email": .text, "role": roleName, "role_id": roleName, "org_id": organizationID,
        ]).named("Assignment")
    ).named("Assignments")
    package static let permissionCheck = object(["allowed": .boolean, "permission": .text, "role": roleName])
        .named("PermissionCheck")

    private static let auditLine = object([
        "entry": object([
            "v": .whole, "org_id": organizationID, "seq": .count, "timestamp": .time, "action": .text, "user_id": .text,
            "resource_type": .text, "resource_id": text.orNull, "metadata": .freeObject, "ip_address": .text,
            "user_agent": .text, "request_id": .text,
        ]).named("AuditEntry"), "prev_hash": hash, "hash": hash,
    ]).named("AuditLine")
    package static let auditPage = page("entries", of: auditLine).named("AuditPage")
    package static let auditVerification = object([
        "valid": .boolean, "entries_checked": .count, "first_broken_seq": count.orNull,
        "chain": object([
            "org_id": organizationID, "first_seq": .count, "last_seq": .count, "base_hash": hash, "head_hash": hash,
            "legal_hold": .boolean,
        ]).named("AuditChain"),
    ]).named("AuditVerification")
    package static let auditHold = object(["legal_hold": .boolean]).named("AuditHold")
}
