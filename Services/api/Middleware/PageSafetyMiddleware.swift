import HTTP
import ServiceKit

/// Tells browsers on every answer how strictly it is to be taken; see ``BrowserSafety``.
///
/// A handler that needs something else has set it already.
struct PageSafetyMiddleware: InstantMiddleware {
    func after(_ response: inout Response, _ request: Request, _ context: RequestContext) {
        guard response.status != .switchingProtocols else { return }
        BrowserSafety.add(to: &response)
    }
}
