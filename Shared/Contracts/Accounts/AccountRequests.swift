package import Domain

/// The bodies of `/api/auth/…` and `/api/users/…`. Each throws `ValidationFailure` that names every problem.
package enum AccountRequests {
    /// Bytes of a body.
    package static let maximumBytes = 16 * 1024
    package static let passwordCharacters = 12...128
    static let emailCharacters = 3...254
    static let nameCharacters = 100
    package static let keyNameCharacters = 1...100

    package struct Registration: Sendable {
        /// In lower case.
        package let email: String
        package let password: String
        package let name: String
        /// The name of an organization to found.
        package let organization: String?
    }

    package struct Login: Sendable {
        package let email: String
        package let password: String
        package let code: String?
    }

    package struct SecondFactor: Sendable {
        package let code: String
        package let pendingToken: String?
    }

    package struct PasswordChange: Sendable {
        package let current: String
        package let new: String
    }

    package struct PasswordReset: Sendable {
        package let token: String
        package let new: String
    }

    package struct KeyWish: Sendable {
        package let name: String
        package let scopes: Set<Permission>?
        /// Nil when the body does not say.
        package let expiresAt: Timestamp?
    }

    package struct UserWish: Sendable {
        package let email: String
        package let name: String
        package let role: Role
    }

    package struct UserChange: Sendable {
        package let name: String?
        package let role: Role?
        package let isActive: Bool?
    }

    package static func registration(_ bytes: [UInt8]) throws(ValidationFailure) -> Registration {
        var fields = try read(bytes)
        let email = fields.email()
        let password = fields.newPassword("password")
        let name = fields.line("name", maximum: nameCharacters) ?? ""
        let organization = fields.line("organization", maximum: nameCharacters)
        if let problem = PasswordRule(context: [email, name, organization ?? ""]).problem(password), !password.isEmpty {
            fields.refuse("password", problem)
        }
        try fields.finish()
        return Registration(
            email: email, password: password, name: name,
            organization: organization?.isEmpty == true ? nil : organization
        )
    }

    package static func login(_ bytes: [UInt8]) throws(ValidationFailure) -> Login {
        var fields = try read(bytes)
        let email = fields.email()
        let password = fields.required("password", maximum: 1024)
        let code = fields.line("mfa_code", maximum: 16) ?? fields.line("code", maximum: 16)
        try fields.finish()
        return Login(email: email, password: password, code: code)
    }

    package static func secondFactor(_ bytes: [UInt8]) throws(ValidationFailure) -> SecondFactor {
        var fields = try read(bytes)
        let code = fields.required("code", maximum: 16)
        let token = fields.line("pending_token", maximum: 4096)
        try fields.finish()
        return SecondFactor(code: code, pendingToken: token)
    }

    package static func refresh(_ bytes: [UInt8]) throws(ValidationFailure) -> String {
        var fields = try read(bytes)
        let token = fields.required("refresh_token", maximum: 4096)
        try fields.finish()
        return token
    }

    package static func passwordChange(_ bytes: [UInt8]) throws(ValidationFailure) -> PasswordChange {
        var fields = try read(bytes)
        let current = fields.required("current_password", maximum: 1024)
        let new = fields.newPassword("new_password")
        try fields.finish()
        return PasswordChange(current: current, new: new)
    }

    package static func forgotten(_ bytes: [UInt8]) throws(ValidationFailure) -> String {
        var fields = try read(bytes)
        let email = fields.email()
        try fields.finish()
        return email
    }

    package static func passwordReset(_ bytes: [UInt8]) throws(ValidationFailure) -> PasswordReset {
        var fields = try read(bytes)
        let token = fields.required("token", maximum: 256)
        let new = fields.newPassword("new_password", or: "password")
        try fields.finish()
        return PasswordReset(token: token, new: new)
    }

    /// A password or a code proves who turns the second factor off.
    package static func proof(_ bytes: [UInt8]) throws(ValidationFailure) -> (password: String?, code: String?) {
        var fields = try read(bytes)
        let password = fields.text("password", maximum: 1024)
        let code = fields.line("code", maximum: 16)
        if password == nil && code == nil { fields.refuse("password", "is required, or code") }
        try fields.finish()
        return (password, code)
    }

    /// `/api/auth/mfa`: one route for all, by `action`.
    package static func action(_ bytes: [UInt8]) throws(ValidationFailure) -> String {
        var fields = try read(bytes)
        let action = fields.required("action", maximum: 32)
        try fields.finish()
        return action
    }

    package static func name(_ bytes: [UInt8]) throws(ValidationFailure) -> String? {
        var fields = try read(bytes)
        let name = fields.line("name", maximum: nameCharacters)
        try fields.finish()
        return name
    }

    /// - Parameter now: what `expires_at` must be after.
    package static func key(_ bytes: [UInt8], now: Timestamp) throws(ValidationFailure) -> KeyWish {
        var fields = try read(bytes)
        let name = fields.line("name", maximum: keyNameCharacters.upperBound) ?? "API key"
        if name.isEmpty { fields.refuse("name", "must not be empty") }
        let scopes = fields.scopes()
        let expires = fields.time("expires_at")
        if let expires, expires <= now { fields.refuse("expires_at", "must be in the future") }
        try fields.finish()
        return KeyWish(name: name, scopes: scopes, expiresAt: expires)
    }

    package static func user(_ bytes: [UInt8]) throws(ValidationFailure) -> UserWish {
        var fields = try read(bytes)
        let email = fields.email()
        let name = fields.line("name", maximum: nameCharacters) ?? ""
        let role = fields.role() ?? .member
        try fields.finish()
        return UserWish(email: email, name: name, role: role)
    }

    package static func userChange(_ bytes: [UInt8]) throws(ValidationFailure) -> UserChange {
        var fields = try read(bytes)
        let change = UserChange(
            name: fields.line("name", maximum: nameCharacters), role: fields.role(), isActive: fields.flag("is_active"))
        try fields.finish()
        return change
    }

    package static func permission(_ bytes: [UInt8]) throws(ValidationFailure) -> String {
        var fields = try read(bytes)
        let permission = fields.required("permission", maximum: 100)
        try fields.finish()
        return permission
    }

    package static func hold(_ bytes: [UInt8]) throws(ValidationFailure) -> Bool {
        var fields = try read(bytes)
        let isHeld = fields.flag("legal_hold")
        if isHeld == nil { fields.refuse("legal_hold", "is required and must be true or false") }
        try fields.finish()
        return isHeld ?? false
    }

    /// An empty body is an empty object: the official client posts so.
    static func read(_ bytes: [UInt8]) throws(ValidationFailure) -> AccountFields {
        guard !bytes.isEmpty else { return AccountFields(JSONObject()) }
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(bytes, maximumBytes: maximumBytes) } catch {
            throw ValidationFailure([FieldProblem("body", "is not valid JSON: \(error)")])
        }
        guard let object = value.object else {
            throw ValidationFailure([FieldProblem("body", "must be an object, not \(value.typeName)")])
        }
        return AccountFields(object)
    }
}
