import Contracts
import Domain
import HTTP

extension Routes {
    /// One line of the table: what is asked where, by whom, and how it is answered.
    ///
    /// The description at `/openapi.json` is made of these lines, and tests hold every answer against them.
    struct Route: Sendable {
        let method: Method
        let path: String
        let requirement: RouteRequirement
        /// One sentence for the description and docs/protocol.md.
        let about: String
        let cost: RouteCost
        /// What the body may have at most; nil for the server's limit.
        let bodyBytes: Int?
        /// Query items and headers; those of the path are found there.
        let items: [RouteItem]
        let takes: APIOperation.Body?
        let answers: RouteAnswers
        /// Refusals besides those that any route of its kind has.
        let refuses: [ErrorCode]
        let answering: Answering

        /// Who answers.
        enum Answering: Sendable {
            case waiting(@Sendable (Routes) -> Responder)
            case instant(@Sendable (Routes) -> InstantResponder)
        }

        init(
            _ method: Method, _ path: String, _ requirement: RouteRequirement, _ about: String, cost: RouteCost? = nil,
            bodyBytes: Int? = nil, items: [RouteItem] = [], takes: APIOperation.Body? = nil,
            answers: RouteAnswers = .undescribed, refuses: [ErrorCode] = [],
            _ responder: @escaping @Sendable (Routes) -> Responder
        ) {
            self.method = method
            self.path = path
            self.requirement = requirement
            self.about = about
            self.cost = cost ?? (method == .get ? .read : .write)
            self.bodyBytes = bodyBytes
            self.items = items
            self.takes = takes
            self.answers = answers
            self.refuses = refuses
            answering = .waiting(responder)
        }

        /// What anybody may ask for, as often as they like, and is there already: it is answered at once, with nobody
        /// signed in and nothing counted.
        init(
            _ method: Method, _ path: String, _ about: String, answers: RouteAnswers, refuses: [ErrorCode] = [],
            instant: @escaping @Sendable (Routes) -> InstantResponder
        ) {
            self.method = method
            self.path = path
            requirement = .open
            self.about = about
            cost = .probe
            bodyBytes = nil
            items = []
            takes = nil
            self.answers = answers
            self.refuses = refuses
            answering = .instant(instant)
        }
    }
}

/// What a request costs us, for rate limits: a closed set.
enum RouteCost: String, Sendable, CaseIterable {
    /// Answered from memory or by one small statement; not counted.
    case probe
    /// One or a few rows, or a page of them.
    case read
    /// Reads whole logs, or searches.
    case search
    /// Changes something small.
    case write
    /// Starts work that costs money.
    case create
    /// Takes or gives very much at once.
    case bulk
    /// Handles a password or another secret.
    case credential
}

/// A query item or a header that a route reads.
struct RouteItem: Sendable {
    let parameter: APIOperation.Parameter

    static func query(_ name: String, _ schema: Schema, _ about: String, isRequired: Bool = false) -> RouteItem {
        RouteItem(parameter: .init(name, in: .query, schema, about, isRequired: isRequired))
    }

    static func header(_ name: String, _ schema: Schema, _ about: String) -> RouteItem {
        RouteItem(parameter: .init(name, in: .header, schema, about))
    }

    static func limit(_ range: ClosedRange<Int>, standard: Int) -> RouteItem {
        query("limit", .whole(range), "How many at most; \(standard) unless told.")
    }

    static let offset = query("offset", .whole(0...1_000_000), "How many to leave out first.")
    static let since = time("since", "At or after this time")
    static let until = time("until", "Before this time")
    /// An empty one is none.
    static func time(_ name: String, _ about: String) -> RouteItem {
        query(
            name, .text(0...QueryReader.timeCharacters),
            "\(about): `2026-01-31T12:00:00Z`, a day, or seconds since 1970.")
    }
    /// One of these words; an empty one is none.
    static func word(_ name: String, _ words: [String], _ about: String) -> RouteItem {
        query(name, .word(words + [""]), about)
    }

    /// An empty text is none.
    static func text(_ name: String, maximum: Int, _ about: String) -> RouteItem {
        query(name, .text(0...maximum), about)
    }
}

/// How a route answers when it does what it is asked.
struct RouteAnswers: Sendable {
    let all: [APIOperation.Answer]

    /// Any JSON: for a route that nobody has described yet. A test counts them.
    static let undescribed = RouteAnswers(all: [])

    /// A JSON body, the same for each status.
    static func json(_ schema: Schema, _ statuses: Int...) -> RouteAnswers {
        RouteAnswers(
            all: (statuses.isEmpty ? [200] : statuses).map {
                .init(status: $0, type: "application/json", schema: schema)
            })
    }

    /// No body.
    static func empty(_ status: Int) -> RouteAnswers {
        RouteAnswers(all: [.init(status: status, type: nil, schema: nil)])
    }

    /// Another media type than JSON.
    static func other(_ type: String, status: Int = 200) -> RouteAnswers {
        RouteAnswers(all: [.init(status: status, type: type, schema: nil)])
    }

    /// Those of both.
    static func + (one: RouteAnswers, other: RouteAnswers) -> RouteAnswers { RouteAnswers(all: one.all + other.all) }
}
