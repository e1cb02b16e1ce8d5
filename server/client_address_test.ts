import assert from "node:assert/strict";
import { clientAddress, networkOf, rememberPeer } from "./client_address.ts";

function request(peer: string | undefined, forwarded?: string): Request {
  const made = new Request("http://localhost/", {
    headers: forwarded ? { "x-forwarded-for": forwarded } : {},
  });
  rememberPeer(made, peer);
  return made;
}

Deno.test("clientAddress() takes the entry that the outermost trusted proxy appended, whatever the caller sent", () => {
  const rows: [string | undefined, string | undefined, number | null, string | undefined][] = [
    ["203.0.113.7", undefined, 0, "203.0.113.7"],
    ["203.0.113.7", "198.51.100.1", 0, "203.0.113.7"],
    ["203.0.113.7", "198.51.100.1", null, "203.0.113.7"],
    ["127.0.0.1", "198.51.100.1", null, "198.51.100.1"],
    ["::1", "6.6.6.6, 198.51.100.1", null, "198.51.100.1"],
    ["127.0.0.1", "198.51.100.1", 0, "127.0.0.1"],
    ["10.0.0.1", "6.6.6.6, 198.51.100.1", 1, "198.51.100.1"],
    ["10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", 2, "198.51.100.1"],
    ["10.0.0.1", undefined, 1, "10.0.0.1"],
    ["127.0.0.1", undefined, null, "127.0.0.1"],
    [undefined, undefined, null, undefined],
  ];
  for (const [peer, forwarded, proxies, expected] of rows) {
    assert.equal(
      clientAddress(request(peer, forwarded), proxies),
      expected,
      `${peer} ${forwarded} ${proxies}`,
    );
  }
});

Deno.test("networkOf() counts an IPv6 network as one and IPv4 as itself", () => {
  const rows = [
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::9", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["192.0.2.1", "192.0.2.1"],
    ["x".repeat(500), "x".repeat(64)],
  ];
  for (const [address, network] of rows) assert.equal(networkOf(address), network);
});
