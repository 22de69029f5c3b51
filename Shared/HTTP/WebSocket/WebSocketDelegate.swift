/// Is told what happens on a ``WebSocketSession``. Every call comes on the session's loop, so an actor pinned to that
/// loop answers with `assumeIsolated`. The session holds its delegate until it is closed.
package protocol WebSocketDelegate: AnyObject, Sendable {
    /// A whole text or binary message. ``WebSocketSession/setReading(_:)`` slows the client down.
    func webSocketReceived(_ message: WebSocketMessage)
    /// The outbox is empty, after ``WebSocketSession/notifyWhenDrained()``.
    func webSocketDrained()
    /// The server stops: what is enqueued now still leaves before the close with 1001.
    func webSocketWillShutDown()
    /// The last call. `.abnormal` when there was no close frame.
    func webSocketClosed(_ code: CloseCode, reason: String)
}

extension WebSocketDelegate {
    package func webSocketDrained() {}
    package func webSocketWillShutDown() {}
}
