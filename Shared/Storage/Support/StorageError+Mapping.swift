import PostgresClient

extension StorageError {
    /// What a store's method throws for anything that was thrown inside it.
    static func wrap(_ error: any Error, _ what: String) -> StorageError {
        switch error {
        case let error as StorageError: error
        case let error as PGError: StorageError(error, what)
        default: StorageError(.unavailable, "\(what): \(error)")
        }
    }
}
