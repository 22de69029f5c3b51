/// A script that Redis runs as one step. Its name is for logs and for looking up its hash; one name, one text.
package struct LuaScript: Sendable {
    package let name: String
    package let source: String

    package init(_ name: String, _ source: String) {
        self.name = name
        self.source = source
    }

    func command(_ verb: String, _ body: String, keys: [String], arguments: [[UInt8]]) -> RedisCommand {
        RedisCommand(words: [verb, body, String(keys.count)] + keys, arguments: arguments)
    }
}
