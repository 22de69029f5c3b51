package import Domain

/// The form of a receipt without what people and models said. It is signed when the receipt is, so that whoever holds the
/// receipt can show the one or the other, without asking us and without a key.
extension ReceiptDocument {
    /// Whether it is that form.
    package var isRedacted: Bool { object["redacted"]?.bool == true }

    /// Whether there is such a form of it: not of receipts of the first version.
    package var isRedactable: Bool { schema == Self.schemaVersion && !isRedacted }

    /// The receipt without texts, and without the plain hashes of them: a guess could be compared with those. What it
    /// keeps of the whole is the checksum, which covers a random salt.
    ///
    /// Verdict, numbers, names of agents and the place in the log stay. Without a seal; see ``ReceiptDocument/seals``.
    package func redacted() -> ReceiptDocument {
        var copy = withoutTexts()
        copy.object["salt"] = .null
        copy.object["redacted"] = true
        return copy
    }

    /// The same for receipts of the first version: they have to be sealed, and signed, anew.
    package func erased(at time: Timestamp) -> ReceiptDocument {
        var copy = withoutTexts()
        copy.object["erased"] = true
        copy.object["erased_at"] = .string(time.iso8601)
        return copy
    }

    private func withoutTexts() -> ReceiptDocument {
        var object = object
        for key in ["input_summary", "input_hash", "final_answer", "final_answer_hash", "reason"] {
            object[key] = .null
        }
        if var consensus = object["consensus"]?.object {
            consensus["votes"] = Self.without("reasoning", in: consensus["votes"])
            object["consensus"] = .object(consensus)
        }
        object["dissenting_views"] = Self.without("reasoning", in: object["dissenting_views"])
        if var judgement = object["judgement"]?.object {
            judgement["dissent"] = .null
            object["judgement"] = .object(judgement)
        }
        object["original_checksum"] = .optional(checksum)
        for key in Self.uncovered { object[key] = nil }
        return ReceiptDocument(object: object)
    }

    private static func without(_ key: String, in list: JSONValue?) -> JSONValue {
        .array(
            (list?.array ?? []).map { item in
                guard var object = item.object else { return item }
                object[key] = .null
                return .object(object)
            })
    }
}
