extension CallFailure.Kind {
    /// What people read about a failed call: fixed, because the provider's own words are untrusted.
    package var sentence: String {
        switch self {
        case .connect: "The provider could not be reached."
        case .firstTokenTimeout: "The provider did not begin to answer in time."
        case .idleTimeout: "The provider stopped in the middle of its answer."
        case .totalTimeout: "The answer took longer than a call may take."
        case .upstreamTimeout: "The provider gave up waiting for its model."
        case .rateLimited: "The provider's rate limit was reached."
        case .quota: "The account's spending limit at the provider was reached."
        case .authentication: "The provider refused the credentials."
        case .badRequest: "The provider refused the request as invalid."
        case .overloaded: "The provider was overloaded."
        case .server: "The provider failed with an internal error."
        case .malformedReply: "The provider's answer could not be read."
        case .emptyReply: "The provider's answer was empty."
        case .cut: "The provider's answer was cut off."
        case .refused: "The model refused to answer."
        case .circuitOpen: "The provider failed too often lately and was not asked."
        case .notConfigured: "The provider is not configured here."
        case .cancelled: "The call was cancelled."
        case .attemptsExhausted: "The call was tried as often as a call may be."
        }
    }
}
