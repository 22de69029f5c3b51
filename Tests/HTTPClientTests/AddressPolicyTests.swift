import HTTPClient
import Sockets
import TestSupport
import Testing

/// Requests to addresses that users give never reach our own network, however the address is written.
@Suite("Outgoing addresses")
struct AddressPolicyTests {
    /// Hosts that lead to this machine or to private networks, in the forms that filters of texts are known to miss.
    static let hosts = [
        // this machine, written as it is
        "127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "127.255.255.254", "0.0.0.0", "0", "0.0", "localhost",
        "LOCALHOST", "localhost.", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::1]",
        // decimal, octal, hexadecimal, and all of them at once
        "2130706433", "0x7f000001", "0x7F.1", "017700000001", "0177.0.0.1", "0177.0.0.01", "0x7f.0x0.0x0.0x1",
        "127.0x1", "0x7f.1", "00000177.0.0.1", "3232235777", "0xC0A80101", "167772161", "2852039166", "025177524776",
        // IPv6 that carries IPv4
        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:10.0.0.1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]", "[64:ff9b::a00:1]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2002:c0a8:101::1]",
        "[2001:0:7f00:1::]", "[::ffff:0:127.0.0.1]",
        // private, shared, link-local: clouds answer for their secrets at the last ones
        "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.0.1", "100.64.0.1", "169.254.169.254",
        "169.254.170.2", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[fec0::1]",
        // for documentation, measurement, groups and nobody
        "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "192.0.0.8", "192.88.99.1", "224.0.0.1",
        "239.255.255.250", "240.0.0.1", "255.255.255.255", "[ff02::1]", "[2001:db8::1]", "[3fff::1]", "[100::1]",
        // digits that are none in ASCII, and percent signs
        "１２７.０.０.１", "①②⑦.0.0.1", "127。0。0。1", "%31%32%37.0.0.1", "127.0.0.1%00.example.com",
    ]

    @Test("no form of an address that is not public is connected to", arguments: hosts)
    func refused(_ host: String) async throws {
        let bench = try Bench {
            $0.addresses = AddressPolicy()
        } script: { _ in
            [.response("200 OK", body: "reached")]
        }
        let error = await bench.failure(
            HTTPClientRequest(url: "http://\(host):\(bench.server.port)/"), deadlines: Deadlines(connect: .seconds(5)))
        #expect(
            [.addressRefused, .invalidRequest, .connect].contains(error?.code), "\(host): \(String(describing: error))")
        #expect(error?.wasSent == false && bench.server.connectionCount == 0)
        await bench.stop()
    }

    @Test("there are sixty forms and more, and those that are numbers are refused for where they lead")
    func enough() async throws {
        #expect(Set(Self.hosts).count >= 60)
        var refused = 0
        let bench = try Bench {
            $0.addresses = AddressPolicy()
        } script: { _ in
            []
        }
        for host in Self.hosts {
            let error = await bench.failure(HTTPClientRequest(url: "http://\(host):\(bench.server.port)/"))
            if error?.code == .addressRefused { refused += 1 }
        }
        #expect(refused >= 60, "only \(refused) by the policy")
        await bench.stop()
    }

    @Test("a redirect into our network is an answer like any other, and not followed")
    func redirect() async throws {
        let policy = AddressPolicy(allowed: [try #require(AddressRange("127.0.0.1"))])
        let bench = try Bench {
            $0.addresses = policy
        } script: { _ in
            [.response("302 Found", headers: "Location: http://169.254.169.254/latest/meta-data/\r\n", body: "")]
        }
        let reply = try await bench.client.send(HTTPClientRequest(url: bench.server.url))
        #expect(reply.status == 302 && bench.server.requests.count == 1)
        await bench.stop()
    }

    @Test("what an operator allows is connected to, and nothing beside it")
    func allowed() async throws {
        let policy = AddressPolicy(allowed: [try #require(AddressRange("127.0.0.0/30"))])
        let bench = try Bench {
            $0.addresses = policy
        } script: { _ in
            [.response("200 OK", body: "reached")]
        }
        #expect(await bench.failure() == nil)
        #expect(
            await bench.failure(HTTPClientRequest(url: "http://127.0.0.9:\(bench.server.port)/"))?.code
                == .addressRefused)
        await bench.stop()
    }

    @Test(
        "ranges are the addresses with the same first bits",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false),
            ("172.16.0.0/12", "172.31.9.9", true),
            ("172.16.0.0/12", "172.32.0.0", false), ("192.168.7.7", "192.168.7.7", true), ("fc00::/7", "fdff::1", true),
            ("192.168.7.7", "192.168.7.6", false), ("0.0.0.0/0", "8.8.8.8", true), ("0.0.0.0/0", "::1", false),
            ("fc00::/7", "fe00::1", false), ("2001:db8::/33", "2001:db8:7fff::", true),
            ("2001:db8::/33", "2001:db8:8000::", false),
        ])
    func ranges(_ range: String, _ address: String, _ isInside: Bool) throws {
        let bytes = try #require(IPAddressText.bytes(address))
        #expect(try #require(AddressRange(range)).contains(bytes) == isInside)
    }

    @Test(
        "public addresses are permitted",
        arguments: [
            "8.8.8.8", "1.1.1.1", "172.32.0.1", "172.15.255.255", "100.63.255.255", "100.128.0.1", "192.0.1.1",
            "2606:4700:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::808:808",
        ])
    func permitted(_ address: String) throws {
        #expect(AddressPolicy().permits(try #require(IPAddressText.bytes(address))))
    }

    @Test(
        "what is no range is refused",
        arguments: ["", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "x", "::/129", "1/2/3"])
    func noRange(_ text: String) { #expect(AddressRange(text) == nil) }
}
