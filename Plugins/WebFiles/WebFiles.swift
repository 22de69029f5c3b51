import Foundation
import PackagePlugin

/// Compiles the folder `Web` of a target into it: `web-packer` makes one Swift file of the folder at each build.
@main
struct WebFiles: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let folder = target.directoryURL.appending(path: "Web")
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path())
            .map { folder.appending(path: $0) }
            .filter { !$0.hasDirectoryPath && !$0.lastPathComponent.hasPrefix(".") }
            .sorted { $0.path() < $1.path() }
        let output = context.pluginWorkDirectoryURL.appending(path: "PackedFiles.swift")
        return [
            .buildCommand(
                displayName: "Packing the page of \(target.name)",
                executable: try context.tool(named: "web-packer").url,
                arguments: [output.path(), folder.path()] + files.map { $0.path() },
                inputFiles: files, outputFiles: [output])
        ]
    }
}
