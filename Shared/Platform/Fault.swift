/// Something that can be wrong with an installation: a stable code, what it is, and one line that mends it.
///
/// `aragora doctor` and `aragora validate-env` find these; a service that starts names the code of what it refuses.
package struct Fault: Sendable, Hashable {
    /// How much it matters.
    package enum Weight: Sendable {
        /// It does not work, or is not safe: exit code 1.
        case broken
        /// It works, and somebody should know.
        case advice
    }

    /// `ARA-D` and three digits, the first of them the subject. Never given to another fault.
    package let code: String
    package let weight: Weight
    /// A few words, for the table.
    package let summary: String
    /// One line: what to type or to change. No values of this installation.
    package let fix: String

    init(_ number: Int, _ weight: Weight, _ summary: String, fix: String) {
        code = "ARA-D\(number)"
        self.weight = weight
        self.summary = summary
        self.fix = fix
    }

    package static func == (left: Fault, right: Fault) -> Bool { left.code == right.code }
    package func hash(into hasher: inout Hasher) { hasher.combine(code) }
}
