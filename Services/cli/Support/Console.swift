import Glibc
import Platform

/// Standard output and error, and what may be written on them.
struct Console: Sendable {
    enum Style: String, Sendable {
        case bold = "1", dim = "2", red = "31", green = "32", yellow = "33", cyan = "36"
    }

    static let program = "aragora"
    static let widthRange = 40...100
    static let defaultWidth = 80

    /// Whether results go to a person's terminal, and may move and be coloured.
    let isInteractive: Bool
    let usesColour: Bool
    /// Characters per line.
    let width: Int
    private let writeOut: @Sendable (String) -> Void
    private let writeError: @Sendable (String) -> Void

    init(
        isInteractive: Bool, usesColour: Bool, width: Int, writeOut: @escaping @Sendable (String) -> Void,
        writeError: @escaping @Sendable (String) -> Void
    ) {
        self.isInteractive = isInteractive
        self.usesColour = usesColour
        self.width = width
        self.writeOut = writeOut
        self.writeError = writeError
    }

    /// The process's own streams.
    static func standard(colour: Bool) -> Console {
        let isInteractive = isatty(1) == 1
        return Console(
            isInteractive: isInteractive, usesColour: isInteractive && colour, width: terminalWidth(),
            writeOut: { write($0, to: 1) }, writeError: { write($0, to: 2) })
    }

    /// A line of the result.
    func print(_ line: String = "") { writeOut(line + "\n") }

    /// A line about the run, not its result.
    func note(_ line: String) { writeError(line + "\n") }

    /// A line that says why there is no result.
    func complain(_ sentence: String) {
        endProgress()
        note("\(Self.program): \(TerminalText.safe(sentence))")
    }

    /// Replaces the last progress line of a terminal; nothing elsewhere.
    func progress(_ text: String) {
        if isInteractive { writeError("\r\u{1B}[K" + TerminalText.safeLine(text)) }
    }

    func endProgress() {
        if isInteractive { writeError("\r\u{1B}[K") }
    }

    /// The text in a style, where styles show. The text must be safe already.
    func styled(_ text: String, _ styles: Style...) -> String {
        guard usesColour, !styles.isEmpty, !text.isEmpty else { return text }
        return "\u{1B}[\(styles.map(\.rawValue).joined(separator: ";"))m\(text)\u{1B}[0m"
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            // A reader that is gone (head, less) has seen enough; the exit code still tells the result.
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }

    private static func terminalWidth() -> Int {
        var size = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return defaultWidth }
        return min(max(Int(size.ws_col), widthRange.lowerBound), widthRange.upperBound)
    }
}
