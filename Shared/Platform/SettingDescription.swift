/// What one setting is: noted by ``SettingsReader`` at each read, and the source of docs/configuration.md.
package struct SettingDescription: Sendable, Equatable {
    /// What a value must look like.
    package enum Kind: Sendable, Equatable {
        case text, secret, bool
        case int(ClosedRange<Int>)
        /// Whole seconds.
        case seconds(ClosedRange<Int>)
        /// A share, written as 0.95.
        case share(ClosedRange<Double>)
        case oneOf([String])
    }

    /// What holds when nobody sets it.
    package enum Fallback: Sendable, Equatable {
        case required, none
        case value(String)
    }

    package let name: String
    /// Names that count as well, in order of precedence after ``name``.
    package let aliases: [String]
    package let kind: Kind
    package let fallback: Fallback
    /// One sentence for operators.
    package let help: String
}
