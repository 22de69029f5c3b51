package import Contracts
package import Domain

/// One edit of a file: of a byte, or of a part of what it says.
package enum Mutation: Sendable {
    /// Every kind of edit of a byte, by number.
    package static let byteKinds = 9
    private static let alphabet = Array("0123456789abcdefABCDEF\"{}[],:.-+eE\\ /=zZ\u{7f}".utf8)

    /// The file after an edit of the byte at `place`.
    package static func byte(_ kind: Int, at place: Int, of file: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        var file = file
        switch kind {
        case 0: file[place] ^= 1 << UInt8(random.next() % 8)
        case 1: file[place] = alphabet[Int(random.next() % UInt64(alphabet.count))]
        case 2: file.insert(alphabet[Int(random.next() % UInt64(alphabet.count))], at: place)
        case 3: file.remove(at: place)
        case 4: file.insert(file[place], at: place)
        case 5: file.swapAt(place, min(place + 1, file.count - 1))
        case 6: file[place] = UInt8(truncatingIfNeeded: random.next())
        case 7: file[place] ^= 0x20
        default: file[place] = file[place] &+ 1
        }
        return file
    }

    /// Every kind of edit of a part, by number.
    package static let partKinds = 7

    /// The value after one of its parts was dropped, doubled, swapped with another, or replaced by a foreign one; nil when
    /// that kind does not fit.
    package static func part(
        _ kind: Int, of value: JSONValue, foreign: JSONObject, _ random: inout SeededRandom
    ) -> JSONValue? {
        guard var object = value.object else { return nil }
        func draw(_ count: Int) -> Int { Int(random.next() % UInt64(max(count, 1))) }
        switch kind {
        case 0:  // a member of any object goes
            return edited(value, &random) { object, random in
                guard let member = object.members.randomElement(using: &random) else { return false }
                object[member.key] = nil
                return true
            }
        case 1...3:  // an element of a list is dropped, doubled, or changes place
            let lists = ["events", "excerpts"].filter { (object[$0]?.array?.count ?? 0) > 1 }
            guard let key = lists.randomElement(using: &random), var list = object[key]?.array else {
                return path(kind, of: object, &random)
            }
            if draw(3) == 0, let changed = path(kind, of: object, &random) { return changed }
            let place = draw(list.count)
            if kind == 1 { list.remove(at: place) }
            if kind == 2 { list.insert(list[place], at: place) }
            if kind == 3 { list.swapAt(place, (place + 1 + draw(list.count - 1)) % list.count) }
            object[key] = .array(list)
            return .object(object)
        case 4:  // a part of another receipt's file
            guard object["receipt"] != nil,
                let key = object.members.map(\.key).filter({ foreign[$0] != nil && $0 != "bundle_version" })
                    .randomElement(using: &random)
            else { return nil }
            object[key] = foreign[key]
            return .object(object)
        case 5:  // the log as it was
            guard object["log"] != nil, let before = foreign["log_before"] else { return nil }
            object["log"] = before
            return .object(object)
        default:  // a value of any object for another of its values
            return edited(value, &random) { object, random in
                guard object.members.count > 1, let one = object.members.randomElement(using: &random),
                    let other = object.members.randomElement(using: &random), one.value != other.value
                else { return false }
                object[one.key] = other.value
                return true
            }
        }
    }

    /// The same for the hashes of the proof in the log.
    private static func path(_ kind: Int, of object: JSONObject, _ random: inout SeededRandom) -> JSONValue? {
        var object = object
        guard var log = object["log"]?.object, var path = log["inclusion"]?.array, path.count > 1 else { return nil }
        let place = Int(random.next() % UInt64(path.count))
        if kind == 1 { path.remove(at: place) }
        if kind == 2 { path.insert(path[place], at: place) }
        if kind == 3 { path.swapAt(place, (place + 1) % path.count) }
        log["inclusion"] = .array(path)
        object["log"] = .object(log)
        return .object(object)
    }

    /// Edits an object somewhere inside `value`.
    private static func edited(
        _ value: JSONValue, _ random: inout SeededRandom,
        _ edit: (inout JSONObject, inout SeededRandom) -> Bool
    ) -> JSONValue? {
        if let list = value.array {
            guard !list.isEmpty else { return nil }
            let place = Int(random.next() % UInt64(list.count))
            return edited(list[place], &random, edit).map { changed in
                var list = list
                list[place] = changed
                return .array(list)
            }
        }
        guard var object = value.object else { return nil }
        let nested = object.members.filter { $0.value.object != nil || $0.value.array != nil }
        if random.next() % 3 != 0, let member = nested.randomElement(using: &random),
            let changed = edited(member.value, &random, edit)
        {
            object[member.key] = changed
            return .object(object)
        }
        return edit(&object, &random) ? .object(object) : nil
    }
}
