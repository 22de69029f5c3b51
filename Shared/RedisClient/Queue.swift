/// First in, first out, without moving elements at each removal.
struct Queue<Element> {
    private var items: [Element?] = []
    private var head = 0

    var count: Int { items.count - head }
    var first: Element? { head < items.count ? items[head] : nil }

    mutating func append(_ element: Element) { items.append(element) }

    mutating func popFirst() -> Element? {
        guard head < items.count else { return nil }
        let element = items[head]
        items[head] = nil
        head += 1
        if head == items.count || head >= 1024 && head * 2 >= items.count {
            items.removeFirst(head)
            head = 0
        }
        return element
    }

    mutating func replaceFirst(with element: Element) { items[head] = element }

    mutating func updateEach(_ change: (inout Element) -> Void) {
        for index in head..<items.count {
            guard var element = items[index] else { continue }
            change(&element)
            items[index] = element
        }
    }
}
