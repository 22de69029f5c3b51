import Glibc
import Sockets

/// The rival: Debian's nginx, started privately, one worker, no access log.
struct Nginx: Sendable {
    static let binary = "/usr/sbin/nginx"
    static let nchanModule = "/usr/lib/nginx/modules/ngx_nchan_module.so"

    let master: Child
    let port: UInt16
    /// The process that does the work.
    let workerPID: Int32

    /// - Parameters:
    ///   - locations: what the one server serves.
    ///   - modules: paths of dynamic modules.
    static func start(
        _ bench: Bench, folder: String, locations: String, http: String = "", modules: [String] = []
    ) async throws -> Nginx {
        guard Command.exists(binary) else { throw Skipped("nginx is not installed (apt-get install nginx-light)") }
        let port = try Ports.free()
        let configuration = """
            \(modules.map { "load_module \($0);" }.joined(separator: "\n"))
            daemon off; worker_processes 1; pid \(folder)/nginx.pid; error_log \(folder)/nginx-error.log warn;
            worker_rlimit_nofile 20000;
            events { worker_connections 19000; }
            http {
              access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_timeout 65; keepalive_requests 1000000000;
              client_body_temp_path \(folder)/body; proxy_temp_path \(folder)/proxy; fastcgi_temp_path \(folder)/fastcgi;
              uwsgi_temp_path \(folder)/uwsgi; scgi_temp_path \(folder)/scgi; default_type application/json;
              \(http)
              server { listen 127.0.0.1:\(port) backlog=4096; root \(folder); \(locations) }
            }
            """
        guard TextFile.write(Array(configuration.utf8), to: "\(folder)/nginx.conf") else {
            throw BenchFailure("nginx.conf can not be written")
        }
        // The worker gives up root unless it is told who it is; the folder is ours alone.
        let user = getuid() == 0 ? ["-g", "user root;"] : []
        let master = try Child(
            "nginx", binary, ["-p", folder, "-c", "\(folder)/nginx.conf"] + user, folder: folder,
            processor: bench.serverProcessor)
        let worker = try await worker(of: master, bench.loop, folder)
        return Nginx(master: master, port: port, workerPID: worker)
    }

    private static func worker(of master: Child, _ loop: EventLoop, _ folder: String) async throws -> Int32 {
        for _ in 0..<200 {
            if let worker = ProcessSample.children(of: master.pid).first { return worker }
            guard !master.hasEnded() else { break }
            try await loop.sleep(for: .milliseconds(20))
        }
        throw BenchFailure("nginx did not start: \(master.logTail) \(TextFile.read("\(folder)/nginx-error.log"))")
    }

    func stop(on loop: EventLoop) async { await master.stop(on: loop) }
}
