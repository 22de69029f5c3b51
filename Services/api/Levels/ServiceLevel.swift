/// How one objective stands: what happened, over two windows, against the share that may fail.
struct ServiceLevel: Equatable {
    struct Share: Equatable {
        let failed: Int
        let all: Int

        /// 0 when nothing happened.
        var value: Double { all == 0 ? 0 : Double(failed) / Double(all) }
    }

    /// Share that may fail: 1 − target.
    let allowed: Double
    /// Over the objective's own window.
    let recent: Share
    /// Over the period that the error budget is for.
    let period: Share

    /// How fast the budget goes: 1 is just as fast as the objective allows (Google SRE Workbook, chapter 5).
    var burnRate: Double { recent.value / allowed }
    /// An empty window keeps every promise.
    var isMet: Bool { recent.value <= allowed }
    /// Share of the period's budget that is left, 0…1.
    var budgetRemaining: Double { min(1, max(0, 1 - period.value / allowed)) }
}
