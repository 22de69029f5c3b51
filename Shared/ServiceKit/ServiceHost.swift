import Dispatch
import Glibc
package import Platform
import Sockets
import Telemetry

/// Settings, logging, signals, lifetime and exit codes: what every `Main.swift` shares.
package enum ServiceHost {
    /// Exit codes: 0 drained, 64 wrong usage, 70 a service failed, 78 bad settings or stores missing at start.
    package enum ExitCode {
        package static let usage: Int32 = 64
        package static let failed: Int32 = 70
        package static let configuration: Int32 = 78
    }

    /// A problem that no restart will mend by itself; ends the process with code 78 and its sentence.
    package struct ConfigurationError: Error, CustomStringConvertible {
        package let description: String
        package init(_ description: String) { self.description = description }
    }

    /// Runs a service to its end. `assemble` names the concrete types; it is called on the first loop.
    package static func run<Settings: ReloadableSettings>(
        _ name: String, about: String,
        settings read: @escaping @Sendable (inout SettingsReader, CommonSettings) -> Settings,
        assemble: @escaping @Sendable (Settings, ServiceContext) async throws -> [any Service]
    ) -> Never {
        answerArguments(name: name, about: about)
        let (shutdown, bell) = (ShutdownSignal(), ReloadBell())
        ProcessSignals.forward([SIGTERM, SIGINT, SIGHUP]) { $0 == SIGHUP ? bell.ring() : shutdown.request() }

        let readAll: @Sendable (inout SettingsReader) -> (CommonSettings, Settings) = { reader in
            let common = CommonSettings(reading: &reader, processors: sysconf(Int32(_SC_NPROCESSORS_ONLN)))
            return (common, read(&reader, common))
        }
        var reader = SettingsReader(lookup: environment)
        let (common, settings) = readAll(&reader)
        let errors = common.telemetry.errors.map { _ in ErrorInbox() }
        let log = Log(service: name, level: common.logLevel, format: common.logFormat, errors: errors)
        guard reader.problems.isEmpty else {
            for problem in reader.problems { log.error("bad setting", .reason(problem)) }
            exit(ExitCode.configuration)
        }
        for alias in reader.aliasesUsed { log.info("setting alias used", .reason(alias)) }
        for advice in reader.advice { log.warning("setting to mend", .reason(advice)) }
        let reload = SettingsReload(
            settings, files: reader.fileValues, lookup: environment, readFile: SettingsReader.content,
            read: { readAll(&$0).1 })
        start(
            name: name, common: common, heartbeat: settings.heartbeat, log: log, errors: errors, shutdown: shutdown
        ) { context in
            try await assemble(settings, context) + [SettingsReloader(bell: bell, reload: reload, context: context)]
        }
        dispatchMain()
    }

    @Sendable private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    private static func start(
        name: String, common: CommonSettings, heartbeat: HeartbeatSettings?, log: Log, errors: ErrorInbox?,
        shutdown: ShutdownSignal,
        assemble: @escaping @Sendable (ServiceContext) async throws -> [any Service]
    ) {
        let startedAt = WallClock.nowMilliseconds()
        let metrics = Metrics()
        ProcessMetrics.register(in: metrics, startedAtMilliseconds: startedAt)
        metrics.set(.buildInfo, [BuildInfo.current.version, BuildInfo.current.commit], to: 1)
        metrics.configurationLoaded()
        let loops: [EventLoop]
        let telemetry: Telemetry
        do {
            loops = try EventLoop.group(count: common.eventLoops)
            telemetry = try Telemetry(
                common.telemetry, origin: origin(name), inbox: errors, log: log, metrics: metrics)
        } catch {
            log.error("no event loop", .error(error))
            exit(ExitCode.failed)
        }
        let context = ServiceContext(
            name: name, log: log, metrics: metrics, loops: loops, shutdown: shutdown,
            health: HealthRegistry(shutdown: shutdown, loop: loops[0], metrics: metrics), build: BuildInfo.current,
            startedAtMilliseconds: startedAt, common: common,
            tracer: telemetry.tracer)
        let pidFile = takePIDFile(common, log)
        log.info("starting", .version(context.build.version))
        // The program's one bare task; the process itself is its owner.
        Task(executorPreference: loops[0]) {
            let code: Int32
            do {
                try await runAll(try await assemble(context), heartbeat, context)
                log.info("stopped")
                code = 0
            } catch let error as ConfigurationError {
                log.error("can not start", .reason(error.description))
                code = ExitCode.configuration
            } catch {
                log.error("stopping after a failure", .error(error))
                code = ExitCode.failed
            }
            await telemetry.finish()
            pidFile?.remove()
            exit(code)
        }
    }

    private static func origin(_ service: String) -> Telemetry.Origin {
        .init(service: service, version: BuildInfo.current.version, instance: "\(hostName):\(getpid())")
    }

    /// What this machine, or container, is called.
    static var hostName: String {
        String(unsafeUninitializedCapacity: 256) { buffer in
            let isNamed = buffer.withMemoryRebound(to: CChar.self) {
                $0.baseAddress.map { gethostname($0, 255) == 0 } ?? false
            }
            return isNamed ? buffer.prefix(255).firstIndex(of: 0) ?? 255 : 0
        }
    }

    /// Before anything is opened: a second process with the same settings must not get far.
    private static func takePIDFile(_ common: CommonSettings, _ log: Log) -> PIDFile? {
        guard let path = common.pidFile else { return nil }
        do throws(PIDFile.Refused) { return try PIDFile(path: path) } catch {
            log.error("can not start", .reason("the pid file: \(error)"))
            exit(ExitCode.configuration)
        }
    }

    /// Runs the services, and around them the health server and the heartbeat: while they drain, probes must hear
    /// "draining" rather than a refused connection, and the register the same rather than nothing.
    private static func runAll(
        _ services: [any Service], _ heartbeat: HeartbeatSettings?, _ context: ServiceContext
    ) async throws {
        let health = try HealthServer(context: context)
        let around: [any Service] = [health] + (heartbeat.map { [Heartbeat(settings: $0, context: context)] } ?? [])
        let all =
            services + [
                LoopLagMonitor(loops: context.loops, metrics: context.metrics), StartupGate(context: context),
                HealthMonitor(context: context),
            ]
        context.health.setServices((all + around).map(\.name))
        context.health.markStarted()
        let servicesEnded = ShutdownSignal()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { context.shutdown.advance(to: .draining) }
                try await ServiceGroup(around, log: context.log).run(until: servicesEnded)
            }
            group.addTask {
                defer { servicesEnded.advance(to: .draining) }
                try await ServiceGroup(all, log: context.log).run(until: context.shutdown)
            }
            try await group.waitForAll()
        }
    }

    private static func answerArguments(name: String, about: String) {
        for argument in CommandLine.arguments.dropFirst() {
            switch argument {
            case "-h", "--help":
                print(
                    """
                    aragora-\(name) \(BuildInfo.current.version)

                    \(about)

                      --healthcheck   asks the running process whether it is ready: exit 0 when it is, 1 when not
                      --version       prints the version

                    Settings come from the environment; docs/configuration.md lists them.
                    """)
                exit(0)
            case "--version":
                print(BuildInfo.current.version)
                exit(0)
            case "--healthcheck":
                HealthCommand.run(name: name)
            default:
                print("aragora-\(name): unknown argument \"\(argument)\"; see --help")
                exit(ExitCode.usage)
            }
        }
    }
}
