/// What is told of single sign-on.
package enum SignOnBody {
    package static func status(isEnabled: Bool, kind: String, issuer: String?, loginPath: String?) -> JSONValue {
        [
            "enabled": .bool(isEnabled), "configured": .bool(isEnabled), "provider_type": .string(kind),
            "issuer": .optional(issuer), "login_url": .optional(loginPath),
        ]
    }
}

extension Schema {
    package static let signOnStatus = object([
        "enabled": .boolean, "configured": .boolean, "provider_type": word(["oidc", "saml"]), "issuer": text.orNull,
        "login_url": text.orNull,
    ]).named("SignOnStatus")
}
