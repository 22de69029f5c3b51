import Contracts
import Domain
import HTTP
import Storage

extension Routes {
    /// The queue, for those who look after it.
    static let queueRoutes: [Route] = [
        Route(
            .get, "/api/queue/stats", .permission(.adminRead), "How many wait, run and were given up.",
            answers: .json(.queueStatus)
        ) { $0.status.queue },
        Route(
            .get, "/api/queue/jobs", .permission(.adminRead), "What waits and runs, in the order it is taken.",
            items: [
                .limit(QueueReader.limitRange, standard: 50), .offset,
                .word("status", QueueHandler.statuses, "Only of this status."),
            ], answers: .json(.jobs)
        ) { $0.queue.jobs },
        Route(
            .get, "/api/queue/stale", .permission(.adminRead), "Running debates without progress for a minute.",
            items: [.limit(QueueReader.limitRange, standard: 50), .offset], answers: .json(.jobs)
        ) { $0.queue.stale },
        Route(
            .get, "/api/queue/workers", .permission(.adminRead), "The processes that run debates.",
            answers: .json(.workers)
        ) { $0.queue.workers },
        Route(
            .get, "/api/queue/dlq", .permission(.adminRead), "What was given up, the newest first.",
            items: [.limit(QueueReader.limitRange, standard: 50)], answers: .json(.deadJobs)
        ) { $0.queue.dead },
        Route(
            .post, "/api/queue/dlq/requeue", .permission(.adminManage),
            "Asks again for what was given up: for the jobs that are named, or for all.", cost: .bulk,
            bodyBytes: 64 * 1024, takes: .init(.requeue, isRequired: false), answers: .json(.requeued)
        ) { $0.queue.requeue },
        Route(
            .post, "/api/queue/cleanup", .permission(.adminManage),
            "Removes what has expired: keys, links, sessions, revocations, messages.", answers: .json(.cleaned)
        ) { $0.queue.cleanUp },
    ]
}
