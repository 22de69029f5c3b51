import Domain
import Platform
import Sockets

/// Renews the places that this process's calls hold among those of all processes (``ProviderBoard``), all of a provider in
/// one command.
///
/// Places are leases because nobody else can give them back in time. A place that lasted as long as its call may take
/// outlived a killed worker by minutes, and a few kills in a row took every place there is. Whoever takes a debate over
/// could give back what it declares abandoned; but not all that is held belongs to a debate that is taken over soon (the
/// others may have no free slot, and wait for these very places), and a lease needs nothing of the debate.
///
/// - A killed process's places are free within ``lease``, whatever becomes of its debates.
/// - A frozen one's too, although its requests are still open at the provider: for as long as it stands still, the provider
///   may have that many more. Its debates are taken over and asked again anyhow. Thawed, it tells of its calls again until
///   they are aborted: more than the cap then, and nobody is admitted until it is less.
/// - What Redis has lost is there again after one renewal.
/// - Only Redis's clock counts. A failover to a Redis whose clock is ahead frees places for a renewal's time; to one whose
///   clock is behind by D, a dead process's places last D longer.
package final class PlaceKeeper: Sendable {
    /// How long a place lasts when nobody renews it: as long as a worker may be silent, and a little more.
    package static let lease = Duration.seconds(5)

    /// Renews what is held at one provider.
    typealias Renewal = @Sendable (ProviderKey, [String]) async -> Void

    private struct State {
        var calls: [ProviderKey: Set<String>] = [:]
        var isRenewing = false
    }

    /// Four renewals may fail before a place is lost.
    private let pause: Duration
    private let state = Lock(State())

    init(lease: Duration) { pause = lease / 5 }

    /// The call has a place, until ``drop(_:of:)``.
    func hold(_ call: String, of provider: ProviderKey, on loop: EventLoop, renewing renew: @escaping Renewal) {
        let isFirst = state.withLock { state in
            state.calls[provider, default: []].insert(call)
            defer { state.isRenewing = true }
            return !state.isRenewing
        }
        if isFirst { arm(loop, renew) }
    }

    /// Its place is about to be given back. A renewal that is on its way and comes after that leaves it taken for a lease.
    func drop(_ call: String, of provider: ProviderKey) {
        state.withLock { state in
            state.calls[provider]?.remove(call)
            if state.calls[provider]?.isEmpty == true { state.calls[provider] = nil }
        }
    }

    private func arm(_ loop: EventLoop, _ renew: @escaping Renewal) {
        loop.execute { [self] in
            loop.schedule(after: pause) { [self] in
                Task(executorPreference: loop) { await self.renew(loop, renew) }
            }
        }
    }

    /// Goes on as long as anything is held.
    private func renew(_ loop: EventLoop, _ renew: @escaping Renewal) async {
        let providers = state.withLock { state in
            state.isRenewing = !state.calls.isEmpty
            return Array(state.calls.keys)
        }
        guard !providers.isEmpty else { return }
        for provider in providers {
            // Asked now: what was given back while another provider's places were renewed shall stay so.
            guard let calls = state.withLock({ $0.calls[provider] }) else { continue }
            await renew(provider, Array(calls))
        }
        arm(loop, renew)
    }
}
