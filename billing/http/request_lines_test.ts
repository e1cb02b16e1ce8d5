import assert from "node:assert/strict";
import { lineOf, noteBeginning, noteFacts, routeOf } from "./request_lines.ts";
import { noteRefusal, refusalLog } from "./request_log.ts";

const request = (path: string, method = "GET") => new Request(`http://localhost${path}`, { method });

Deno.test("lineOf() tells route, status, duration, id and what is known of the request, and no query", () => {
  const asked = request("/api/webhooks/stripe?secret=1", "POST");
  noteBeginning(asked);
  noteFacts(asked, { stripeEvent: "evt_1" });
  noteFacts(asked, { outcome: "applied" });
  const { at, milliseconds, ...line } = JSON.parse(lineOf(asked, new Response("ok"), "id-1", "garden")!);
  assert.deepEqual(line, {
    event: "request",
    status: 200,
    method: "POST",
    route: "/api/webhooks/stripe",
    requestId: "id-1",
    community: "garden",
    stripeEvent: "evt_1",
    outcome: "applied",
  });
  assert.ok(!Number.isNaN(Date.parse(at)) && milliseconds >= 0);
});

Deno.test("lineOf() has no line for health checks, static files and refused requests", () => {
  for (const path of ["/api/health", "/api/ready", "/style.css", "/_fresh/js/1/boot.js"]) {
    assert.equal(lineOf(request(path), new Response("ok"), "id"), undefined, path);
  }
  assert.equal(
    lineOf(request("/api/community/billing-info"), new Response("", { status: 401 }), "id"),
    undefined,
  );
  assert.ok(lineOf(request("/"), new Response("ok"), "id"));
});

Deno.test("routeOf() names few routes, whatever is asked for", () => {
  assert.equal(routeOf("/api/community/billing-info"), "/api/community/billing-info");
  assert.equal(routeOf("/api/x/1/2/3"), "/api/*");
  assert.equal(routeOf("/anything"), "page");
});

Deno.test("refusalLog() writes one line a minute while the database is away, with the count of what was left out", () => {
  let time = 0;
  const lines: string[] = [];
  const log = refusalLog({ write: (line) => lines.push(line), writeAnswered: () => {}, now: () => time });
  const fail = () =>
    log.record(
      request("/api/x"),
      noteRefusal(new Response("", { status: 503 }), "database_unavailable", "it is away"),
    );
  for (let i = 0; i < 100; i++) fail();
  assert.equal(lines.length, 1);
  time = 60_000;
  fail();
  assert.equal(lines.length, 2);
  assert.deepEqual([JSON.parse(lines[1]).leftOut, JSON.parse(lines[1]).count], [99, 101]);
});
