/// Carries a loop-confined object into a task that stays on the same loop.
struct Unchecked<Value>: @unchecked Sendable {  // the task it goes to runs on the loop that confines the value
    let value: Value
    init(_ value: Value) { self.value = value }
}
