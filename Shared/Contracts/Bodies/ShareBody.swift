package import Domain

/// Links that show one debate to whoever has them.
package enum ShareBody {
    /// `POST /debates/{id}/share`; the token is shown this once.
    package static func created(_ id: DebateID, token: String, expiresAt: Timestamp) -> JSONValue {
        [
            "success": true, "debate_id": .string(id.text), "token": .string(token), "share_token": .string(token),
            "share_url": .string("/api/v1/shared/\(token)"), "expires_at": .string(expiresAt.iso8601),
        ]
    }

    /// `POST /debates/{id}/share/revoke`.
    package static func revoked(_ id: DebateID, count: Int) -> JSONValue {
        ["success": true, "debate_id": .string(id.text), "revoked": .int(Int64(count))]
    }

    /// `GET /shared/{token}`: the debate as its people see it, without what they attached to it.
    package static func shared(_ body: DebateBody, expiresAt: Timestamp, views: Int64) -> JSONValue {
        var body = body
        body.metadata = Array("{}".utf8)
        return [
            "debate_id": .string(body.id.text), "debate": body.json, "expires_at": .string(expiresAt.iso8601),
            "views": .int(views), "read_only": true,
        ]
    }
}
