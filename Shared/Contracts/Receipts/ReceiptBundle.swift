package import Domain

/// A receipt with what proves it, in one file: the events it covers, or some of them, and its place in the receipt log.
///
/// It has no member that is not checked, and none that could be left out unnoticed beside another. A bare receipt is a
/// bundle without proofs.
package struct ReceiptBundle: Sendable {
    package static let version: Int64 = 1
    /// The largest bundle that is read, in bytes.
    package static let maximumBytes = ClientForms.maximumBytes

    /// One event, and its path to the receipt's `events_root`.
    package struct Excerpt: Sendable {
        package let event: SealedEvent
        package let path: [[UInt8]]

        package init(event: SealedEvent, path: [[UInt8]]) {
            self.event = event
            self.path = path
        }
    }

    /// The receipt's place in the log.
    package struct LogProof: Sendable {
        package let index: Int64
        package let inclusion: [[UInt8]]
        package let head: TreeHead
        /// That the head's tree begins with an earlier one: its size, and the path.
        package let consistency: (first: Int64, path: [[UInt8]])?

        package init(index: Int64, inclusion: [[UInt8]], head: TreeHead, consistency: (Int64, [[UInt8]])? = nil) {
            self.index = index
            self.inclusion = inclusion
            self.head = head
            self.consistency = consistency
        }
    }

    package let receipt: ReceiptDocument
    package let events: [SealedEvent]?
    package let excerpts: [Excerpt]?
    package let log: LogProof?

    package init(
        receipt: ReceiptDocument, events: [SealedEvent]? = nil, excerpts: [Excerpt]? = nil, log: LogProof? = nil
    ) {
        self.receipt = receipt
        self.events = events
        self.excerpts = excerpts
        self.log = log
    }

    // MARK: Writing

    package var bytes: [UInt8] { json.bytes }

    package var json: JSONValue {
        var object = JSONObject([
            ("bundle_version", .int(Self.version)), ("receipt", .object(receipt.object)),
        ])
        if let events { object.append("events", .array(events.map(envelope))) }
        if let excerpts {
            object.append(
                "excerpts",
                .array(excerpts.map { ["event": envelope($0.event), "path": Self.json(of: $0.path)] }))
        }
        if let log {
            var proof = JSONObject([
                ("head", log.head.json), ("inclusion", Self.json(of: log.inclusion)), ("leaf_index", .int(log.index)),
            ])
            if let consistency = log.consistency {
                proof.append(
                    "consistency",
                    ["first": .int(consistency.first), "path": Self.json(of: consistency.path)])
            }
            object.append("log", .object(proof))
        }
        return .object(object)
    }

    private func envelope(_ event: SealedEvent) -> JSONValue {
        guard let debate = receipt.debateID else { return .null }
        return .encoded(EventEnvelope.encode(event, debateID: debate))
    }

    /// Hashes as lists of lower-case hex.
    package static func json(of path: [[UInt8]]) -> JSONValue {
        .strings(path.map { String(decoding: HexText.encode($0), as: UTF8.self) })
    }

    // MARK: Reading

    /// Reads a bundle or a bare receipt. Spaces and the order of members do not matter; a member that we never write does.
    /// - Throws: ``ContractError``.
    package static func parse(_ bytes: [UInt8]) throws(ContractError) -> ReceiptBundle {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(bytes, maximumBytes: maximumBytes)
        } catch {
            throw ContractError(.malformed, "receipt: \(error)")
        }
        guard let object = value.object, let receipt = object["receipt"] else {
            return ReceiptBundle(receipt: try ReceiptDocument(value))
        }
        try allow(object, ["bundle_version", "receipt", "events", "excerpts", "log"], in: "the file")
        guard object["bundle_version"]?.int == version else {
            throw ContractError(.unknownVersion, "a bundle without version, or of another one")
        }
        guard object["events"] == nil || object["excerpts"] == nil else {
            throw ContractError(.malformed, "a bundle has its events, or excerpts of them")
        }
        let document = try ReceiptDocument(receipt)
        return ReceiptBundle(
            receipt: document,
            events: try object["events"].map { value throws(ContractError) in try events(value, document) },
            excerpts: try object["excerpts"].map { value throws(ContractError) in try excerpts(value, document) },
            log: try object["log"].map { value throws(ContractError) in try proof(value) })
    }

    private static func events(
        _ value: JSONValue, _ receipt: ReceiptDocument
    ) throws(ContractError) -> [SealedEvent] {
        var events: [SealedEvent] = []
        for item in try list(value, "events") { events.append(try event(item, receipt)) }
        return events
    }

    private static func event(_ value: JSONValue, _ receipt: ReceiptDocument) throws(ContractError) -> SealedEvent {
        let (debate, event) = try EventEnvelope.parseStrictly(value)
        guard debate == receipt.debateID else { throw ContractError(.malformed, "an event of another debate") }
        return event
    }

    private static func excerpts(
        _ value: JSONValue, _ receipt: ReceiptDocument
    ) throws(ContractError) -> [Excerpt] {
        var excerpts: [Excerpt] = []
        for item in try list(value, "excerpts") {
            guard let object = item.object, let sealed = object["event"], let hashes = object["path"] else {
                throw ContractError(.malformed, "an excerpt without event or path")
            }
            try allow(object, ["event", "path"], in: "an excerpt")
            excerpts.append(Excerpt(event: try event(sealed, receipt), path: try path(hashes)))
        }
        return excerpts
    }

    private static func proof(_ value: JSONValue) throws(ContractError) -> LogProof {
        guard let object = value.object, let index = object["leaf_index"]?.int, let inclusion = object["inclusion"],
            let head = object["head"]
        else { throw ContractError(.malformed, "the proof in the log is not whole") }
        try allow(object, ["leaf_index", "inclusion", "head", "consistency"], in: "the proof")
        var consistency: (Int64, [[UInt8]])?
        if let part = object["consistency"] {
            guard let fields = part.object, let first = fields["first"]?.int, let hashes = fields["path"] else {
                throw ContractError(.malformed, "the proof of consistency is not whole")
            }
            try allow(fields, ["first", "path"], in: "the proof of consistency")
            consistency = (first, try path(hashes))
        }
        return LogProof(
            index: index, inclusion: try path(inclusion), head: try TreeHead(head), consistency: consistency)
    }

    /// Reads what ``json(of:)`` writes.
    package static func path(_ value: JSONValue) throws(ContractError) -> [[UInt8]] {
        var path: [[UInt8]] = []
        for item in try list(value, "a path") {
            guard let text = item.string, let hash = HexText.decode(text, length: 32),
                HexText.isEncoding(text, of: hash)
            else { throw ContractError(.malformed, "a path holds what is no hash") }
            path.append(hash)
        }
        return path
    }

    private static func list(_ value: JSONValue, _ what: String) throws(ContractError) -> [JSONValue] {
        guard let list = value.array else { throw ContractError(.malformed, "\(what) is no list") }
        return list
    }

    private static func allow(_ object: JSONObject, _ keys: [String], in what: String) throws(ContractError) {
        for member in object.members where !keys.contains(where: { $0.utf8.elementsEqual(member.key.utf8) }) {
            throw ContractError(.malformed, "\(what) has a member that is not checked: \(member.key.prefix(64))")
        }
    }
}
