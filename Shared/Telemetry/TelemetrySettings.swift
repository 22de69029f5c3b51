package import Platform

/// Where traces and errors are sent; by default nowhere.
package struct TelemetrySettings: Sendable {
    /// Nil when traces are not sent.
    package let traces: TraceSettings?
    /// Nil when errors go to the log alone.
    package let errors: ErrorSettings?

    package static let none = TelemetrySettings(traces: nil, errors: nil)

    init(traces: TraceSettings?, errors: ErrorSettings?) {
        self.traces = traces
        self.errors = errors
    }

    /// - Parameter environment: what this installation is called unless `SENTRY_ENVIRONMENT` says otherwise.
    package init(reading reader: inout SettingsReader, environment: String) {
        traces = TraceSettings(reading: &reader)
        errors = ErrorSettings(reading: &reader, environment: environment)
    }
}

/// A collector that takes OTLP over HTTP, by the names that OpenTelemetry gives these settings.
package struct TraceSettings: Sendable {
    /// Of `ARAGORA`'s own; what OpenTelemetry calls the signal's path.
    static let path = "/v1/traces"

    let endpoint: String
    let headers: Secret<[(name: String, value: String)]>
    let timeout: Duration
    let compresses: Bool
    let serviceName: String?
    let resource: [(key: String, value: String)]
    let sampler: TraceSampler
    let interval: Duration
    let queue: Int
    let batch: Int

    init(
        endpoint: String, headers: [(name: String, value: String)] = [], timeout: Duration = .seconds(10),
        compresses: Bool = true, serviceName: String? = nil, resource: [(key: String, value: String)] = [],
        sampler: TraceSampler, interval: Duration = .seconds(5), queue: Int = 2048, batch: Int = 512
    ) {
        self.endpoint = endpoint
        self.headers = Secret(headers)
        self.timeout = timeout
        self.compresses = compresses
        self.serviceName = serviceName
        self.resource = resource
        self.sampler = sampler
        self.interval = interval
        self.queue = queue
        self.batch = min(batch, queue)
    }

    /// Every setting is read, so that all are documented; nil without an endpoint.
    init?(reading reader: inout SettingsReader) {
        let name = "OTEL_EXPORTER_OTLP_ENDPOINT"
        let base = reader.optionalString(
            name,
            help:
                "Collector that gets traces: `http://host:4318`, OTLP over HTTP; `/v1/traces` is added. Without it none are made."
        )
        let headers = reader.secret(
            "OTEL_EXPORTER_OTLP_HEADERS",
            help: "Header fields for the collector: `name=value,name=value`, values percent-encoded.")
        let timeout = reader.int(
            "OTEL_EXPORTER_OTLP_TIMEOUT", default: 10_000, in: 100...60_000,
            help: "Longest one request to the collector may take, in milliseconds.")
        let compression = reader.oneOf(
            "OTEL_EXPORTER_OTLP_COMPRESSION", ["gzip", "none"], default: "gzip", help: "How spans are sent.")
        _ = reader.oneOf(
            "OTEL_EXPORTER_OTLP_PROTOCOL", ["http/protobuf"], default: "http/protobuf",
            help: "The one form that is spoken; an endpoint on gRPC's port 4317 is asked on 4318.")
        serviceName = reader.optionalString(
            "OTEL_SERVICE_NAME", help: "What all processes are called in traces; by default each by its own name.")
        let resource = reader.optionalString(
            "OTEL_RESOURCE_ATTRIBUTES", help: "More about this installation, `key=value,key=value`, on every span.")
        let sampler = reader.oneOf(
            "OTEL_TRACES_SAMPLER", TraceSampler.names, default: "parentbased_always_on",
            help: "Which traces are made; `parentbased_` follows a request that brings a `traceparent`.")
        let share = reader.share(
            "OTEL_TRACES_SAMPLER_ARG", default: 1, in: 0...1, help: "The share that a sampler by ratio makes.")
        interval = .milliseconds(
            reader.int(
                "OTEL_BSP_SCHEDULE_DELAY", default: 5000, in: 10...60_000,
                help: "How long spans may wait to be sent together, in milliseconds."))
        queue = reader.int(
            "OTEL_BSP_MAX_QUEUE_SIZE", default: 2048, in: 1...65_536,
            help: "Spans that may wait; further ones are dropped and counted.")
        batch = min(
            queue,
            reader.int("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", default: 512, in: 1...8192, help: "Spans of one request."))
        self.timeout = .milliseconds(timeout)
        compresses = compression == "gzip"
        self.sampler = TraceSampler(sampler, share: share) ?? .never
        self.headers = Secret(Self.pairs(headers?.reveal() ?? "", "OTEL_EXPORTER_OTLP_HEADERS", &reader))
        self.resource = Self.pairs(resource ?? "", "OTEL_RESOURCE_ATTRIBUTES", &reader).map { ($0.name, $0.value) }
        guard let base else { return nil }
        guard let endpoint = Self.endpoint(base) else {
            reader.report("\(name): expected http://host:port or https://host:port")
            return nil
        }
        self.endpoint = endpoint
    }

    /// gRPC's port is the one that documents name most; the same collectors listen for HTTP beside it.
    static func endpoint(_ base: String) -> String? {
        guard ["http://", "https://"].contains(where: base.hasPrefix), !base.contains(where: \.isWhitespace) else {
            return nil
        }
        var base = base
        while base.hasSuffix("/") { base.removeLast() }
        if base.hasSuffix(":4317") { base = base.dropLast(4) + "4318" }
        guard base.split(separator: "/").count >= 2 else { return nil }
        return base.hasSuffix(path) ? base : base + path
    }

    private static func pairs(
        _ text: String, _ name: String, _ reader: inout SettingsReader
    ) -> [(name: String, value: String)] {
        text.split(separator: ",").compactMap { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let key = parts[0].filter { $0 != " " }
            guard parts.count == 2, !key.isEmpty, let value = decoded(parts[1]) else {
                reader.report("\(name): expected name=value, separated by commas")
                return nil
            }
            return (key, value)
        }
    }

    /// Percent-decoded, as the baggage form says that both settings have.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
                bytes.append(byte)
                continue
            }
            guard let digits = String(rest.prefix(2)), digits.utf8.count == 2, let value = UInt8(digits, radix: 16)
            else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard let value = String(validating: bytes, as: UTF8.self) else { return nil }
        return String(value.drop { $0 == " " })
    }
}
