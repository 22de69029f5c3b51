import Testing

@Suite("Layering")
struct LayeringTests {
    @Test("a shared module imports only what its layer allows", arguments: Layers.shared.keys.sorted())
    func shared(module: String) throws {
        let toolchain = Layers.toolchainExceptions[module] ?? Layers.toolchain
        let allowed = Layers.shared[module, default: []].union(toolchain)
        for (imported, place) in try SourceTree.imports(under: "Shared/\(module)") {
            #expect(allowed.contains(imported), "\(place) imports \(imported)")
        }
    }

    @Test("a service imports shared modules only, never another service", arguments: Layers.services.keys.sorted())
    func service(folder: String) throws {
        let allowed = Layers.services[folder, default: []].union(Layers.toolchain)
        for (imported, place) in try SourceTree.imports(under: "Services/\(folder)") {
            #expect(allowed.contains(imported), "\(place) imports \(imported)")
        }
    }

    @Test("the table names every module and service there is")
    func complete() {
        #expect(SourceTree.folders(under: "Shared").filter { $0 != "C" } == Layers.shared.keys.sorted())
        #expect(SourceTree.folders(under: "Services") == Layers.services.keys.sorted())
        #expect(SourceTree.folders(under: "Shared/C") == Layers.fences.keys.sorted())
    }

    @Test("Package.swift declares the same arrows as the table")
    func manifest() throws {
        let products = [
            "api": "aragora-api", "ws-gateway": "aragora-ws-gateway", "debate-worker": "aragora-debate-worker",
            "backup": "aragora-backup", "cli": "aragora",
        ]
        let declared = try PackageManifest().dependencies
        for (module, allowed) in Layers.shared {
            #expect(declared[module] == allowed, "\(module)")
        }
        for (folder, allowed) in Layers.services {
            #expect(try declared[#require(products[folder])] == allowed, "\(folder)")
        }
        #expect(declared.count == Layers.shared.count + Layers.services.count)
    }

    @Test("a C module is imported by its fence only", arguments: Layers.fences.keys.sorted())
    func fence(cModule: String) throws {
        for folder in ["Shared", "Services", "Tests", "Benchmarks"] {
            for (imported, place) in try SourceTree.imports(under: folder) where imported == cModule {
                // Signs as others do, which the product never has to.
                if place.hasPrefix("Tests/Support/TokenSigner.swift") && cModule == "CLibCrypto" { continue }
                let module = place.split(separator: "/").dropFirst().first.map(String.init) ?? ""
                #expect(folder == "Shared" && Layers.fences[cModule, default: []].contains(module), "\(place)")
            }
        }
    }

    @Test("no package dependency is declared")
    func noPackages() throws {
        let code = SwiftText(try PackageManifest().text).code
        #expect(!code.contains(".package("))
    }

    @Test("the arrows have no cycle: each layer can be built after those it imports")
    func acyclic() {
        var remaining = Layers.shared.mapValues { $0.filter { Layers.shared[$0] != nil } }
        while let next = remaining.keys.sorted().first(where: { remaining[$0, default: []].isEmpty }) {
            remaining[next] = nil
            for key in remaining.keys { remaining[key]?.remove(next) }
        }
        #expect(remaining.isEmpty, "a cycle among \(remaining.keys.sorted())")
    }
}
