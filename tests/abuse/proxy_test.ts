// The proxy configuration in deploy/, run by nginx where that is installed (DUES_NGINX names another place for it).
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { defaultLimits } from "../../server/http_server.ts";
import { freePorts } from "../../local/processes/ports.ts";
import { projectPath } from "../../local/paths.ts";
import { exchange, openSocket, statusOf } from "./sockets.ts";

const config = await Deno.readTextFile(projectPath("deploy", "nginx.conf"));
const nginx = [Deno.env.get("DUES_NGINX"), "/usr/sbin/nginx", "/usr/local/sbin/nginx"].find((path) =>
  path && existsSync(path)
);

/** The value of a directive, in seconds where it is a time. */
const valueOf = (directive: string) =>
  config.match(new RegExp(`^\\s*${directive}\\s+([^;]+);`, "m"))?.[1] ?? assert.fail(`no ${directive}`);
const secondsOf = (directive: string) => Number(valueOf(directive).match(/^(\d+)s$/)![1]);

Deno.test("the proxy's limits fit the plugin's: its deadlines are no longer, and it never meets a connection that was just closed", () => {
  assert.ok(secondsOf("client_header_timeout") * 1000 <= defaultLimits.headersMs);
  assert.ok(secondsOf("client_body_timeout") * 1000 <= defaultLimits.requestMs);
  assert.ok(Number(valueOf("keepalive")) < defaultLimits.maxConnections / 2);
  const [, upstreamKeep] = config.match(/keepalive 64;\s+keepalive_timeout (\d+)s;/)!;
  assert.ok(Number(upstreamKeep) * 1000 < defaultLimits.idleMs);
  assert.equal(valueOf("proxy_set_header X-Forwarded-For"), "$remote_addr", "nothing that the caller sent");
  assert.equal(valueOf("client_max_body_size"), "1m");
  assert.equal(valueOf("proxy_request_buffering"), "on");
});

/** Runs nginx with the configuration, with plain http and other ports, before a server that answers what it was sent. */
async function withProxy(test: (url: string, seen: (string | null)[]) => Promise<void>) {
  const [port, redirectPort] = freePorts(2);
  /** What X-Forwarded-For said. */
  const seen: (string | null)[] = [];
  await using upstream = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    seen.push(request.headers.get("x-forwarded-for"));
    await request.arrayBuffer();
    return new Response("dues");
  });
  const folder = await Deno.makeTempDir({ prefix: "dues-nginx-" });
  const site = config
    .replace("listen 443 ssl http2;", `listen 127.0.0.1:${port};`)
    .replace("listen 80;", `listen 127.0.0.1:${redirectPort};`)
    .replace("server 127.0.0.1:8000;", `server 127.0.0.1:${upstream.addr.port};`)
    .replace(/^\s*ssl_certificate.*$/gm, "")
    .replace(/(client_header_timeout|client_body_timeout)( +)10s;/g, "$1$22s;");
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) =>
    `${name}_temp_path ${join(folder, name)};`
  );
  await Deno.writeTextFile(
    join(folder, "nginx.conf"),
    `daemon off; master_process off; pid ${join(folder, "pid")}; error_log ${join(folder, "error.log")};
events { worker_connections 512; }
http { access_log off; ${paths.join(" ")}
${site} }`,
  );
  const process = new Deno.Command(nginx!, {
    args: ["-p", folder, "-c", join(folder, "nginx.conf")],
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  try {
    const url = `http://127.0.0.1:${port}`;
    for (let i = 0; i < 100 && !await fetch(url).then((it) => it.text(), () => null); i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await test(url, seen);
  } finally {
    process.kill("SIGTERM");
    await process.status;
    await Deno.remove(folder, { recursive: true });
  }
}

if (nginx === undefined) {
  console.log("deploy/nginx.conf was not run: nginx is not installed.");
} else {
  Deno.test("nginx drops silent and dripping connections, refuses large bodies, and hides what the caller says of addresses", async () => {
    await withProxy(async (url, seen) => {
      const silent = exchange(url, "GET / HTTP/1.1\r\nHost: billing.example\r\n", 6_000);
      const socket = await openSocket(url);
      await socket.write("POST / HTTP/1.1\r\nHost: billing.example\r\nContent-Length: 100\r\n\r\nx");
      const before = seen.length;
      for (const answer of await Promise.all([silent, socket.end(6_000)])) {
        assert.ok(answer.closed && answer.took < 5_000, `closed after ${answer.took} ms`);
      }
      assert.equal(seen.length, before, "half a body never reaches the plugin");

      const large = await fetch(url, { method: "POST", body: "x".repeat(1_100_000) });
      assert.equal(large.status, 413);
      await large.body?.cancel();

      await (await fetch(url, { headers: { "x-forwarded-for": "6.6.6.6" } })).text();
      assert.equal(seen.at(-1), "127.0.0.1");
    });
  });

  Deno.test("nginx answers a flood of one address 429 with Retry-After as a problem document, and goes on for webhooks", async () => {
    await withProxy(async (url) => {
      const answers = await Promise.all(Array.from({ length: 250 }, async () => {
        const response = await fetch(url);
        return { status: response.status, headers: response.headers, text: await response.text() };
      }));
      const refused = answers.filter(({ status }) => status === 429);
      assert.ok(refused.length > 50, `${refused.length} refused`);
      assert.ok(answers.filter(({ status }) => status === 200).length >= 30);
      assert.equal(refused[0].headers.get("retry-after"), "5");
      assert.equal(refused[0].headers.get("content-type"), "application/problem+json");
      assert.equal(JSON.parse(refused[0].text).code, "too_many_requests");
      const webhook = await fetch(`${url}/api/webhooks/stripe`, { method: "POST", body: "{}" });
      assert.equal(webhook.status, 200);
      await webhook.text();
    });
  });

  Deno.test("nginx keeps sixty connections of one address and serves others", async () => {
    await withProxy(async (url) => {
      const held = await Promise.all(Array.from({ length: 80 }, () => openSocket(url)));
      await Promise.all(
        held.map((socket) =>
          socket.write("POST / HTTP/1.1\r\nHost: billing.example\r\nContent-Length: 9\r\n\r\nx")
        ),
      );
      await new Promise((resolve) => setTimeout(resolve, 300));
      const refused = held.filter(({ text }) => statusOf({ text }) === 429).length;
      assert.ok(refused >= 15, `${refused} refused`);
      held.forEach((socket) => socket.close());
    });
  });
}
