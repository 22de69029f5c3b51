import Contracts
import Domain
import HTTP

extension Routes {
    /// What people do with debates besides running them: name, tag, archive, delete, show to others.
    static let sharingRoutes: [Route] = [
        Route(
            .patch, "/api/debates/{id}", .permission(.debatesUpdate),
            "Changes title, tags, metadata; archives, pauses, goes on.", bodyBytes: 64 * 1024,
            takes: .init(.updateDebate),
            answers: .json(.debate), refuses: [.debateErased, .debateNotFinished, .debateFinished]
        ) { $0.edit.update },
        Route(
            .delete, "/api/debates/{id}", .permission(.debatesDelete),
            "Erases what was said in a debate that is over, and hides it.", answers: .json(.action),
            refuses: [.debateNotFinished, .legalHold]
        ) { $0.edit.delete },
        Route(
            .post, "/api/debates/{id}/share", .permission(.debatesUpdate),
            "Makes a link that shows the debate to whoever has it, for a time.", bodyBytes: 16 * 1024,
            takes: .init(.shareDebate, isRequired: false), answers: .json(.shareCreated), refuses: [.tooManyShares]
        ) { $0.sharing.share },
        Route(
            .post, "/api/debates/{id}/share/revoke", .permission(.debatesUpdate), "Ends every link of the debate.",
            answers: .json(.shareRevoked)
        ) { $0.sharing.revoke },
        Route(
            .get, "/api/shared/{token}", .open, "The debate that a link shows.", cost: .search,
            answers: .json(.sharedDebate), refuses: [.shareNotFound]
        ) { $0.sharing.open },
        Route(
            .get, "/api/shared/{token}/events", .open, "Envelopes of its log after event `since`, for who watches it.",
            cost: .read,
            items: [
                .query("since", .whole(0...Int(JSONValue.maximumInteger)), "The last event that is known."),
                .limit(ReadDebateHandler.eventsRange, standard: 100),
            ], answers: .json(.eventPage), refuses: [.shareNotFound, .eventsExpired]
        ) { $0.sharing.events },
    ]
}
