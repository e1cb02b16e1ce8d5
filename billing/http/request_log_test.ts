import assert from "node:assert/strict";
import { BillingError } from "../errors.ts";
import { problemOf, problemResponse } from "./problem.ts";
import { logged, noteCommunity, type RefusalLine, refusalLog } from "./request_log.ts";

function scene() {
  const lines: RefusalLine[] = [];
  let time = 1_800_000_000_000;
  const log = refusalLog({ write: (line) => lines.push(JSON.parse(line)), now: () => time });
  const request = new Request("https://billing.example/api/stripe/create-portal-session?secret=1", {
    method: "POST",
  });
  return { lines, log, request, pass: (seconds: number) => time += seconds * 1000 };
}

Deno.test("record() gives every answer an id of its own and logs those that refuse", () => {
  const { lines, log, request } = scene();
  const fine = log.record(request, new Response("ok"));
  assert.match(fine.headers.get("x-request-id")!, /^[0-9a-f-]{36}$/);
  assert.deepEqual(lines, []);

  noteCommunity(request, "garden");
  const refused = log.record(request, problemOf(new BillingError("no_customer", "None yet.")));
  assert.deepEqual(lines, [{
    event: "refused",
    at: "2027-01-15T08:00:00.000Z",
    reason: "no_customer",
    status: 409,
    method: "POST",
    route: "/api/stripe/create-portal-session",
    requestId: refused.headers.get("x-request-id"),
    community: "garden",
    detail: "None yet.",
    count: 1,
  }]);
});

Deno.test("record() says which setting may be wrong, and names answers that have no code by their status", () => {
  const { lines, log, request } = scene();
  for (const code of ["invalid_signature", "invalid_identity_token", "stripe_key_refused"] as const) {
    log.record(request, problemResponse(code));
  }
  assert.deepEqual(lines.map(({ advice }) => advice?.match(/[A-Z]+(_[A-Z]+)+/)?.[0]), [
    "STRIPE_WEBHOOK_SECRET",
    "PARENT_APP_JWT_SECRET",
    "STRIPE_SECRET_KEY",
  ]);
  log.record(request, new Response(null, { status: 404 }));
  log.record(request, new Response(null, { status: 418 }));
  assert.deepEqual(lines.slice(3).map(({ reason }) => reason), ["not_found", "status_418"]);
});

Deno.test("record() writes thirty lines a minute for a reason, counts the rest, and leaves other reasons alone", () => {
  const { lines, log, request, pass } = scene();
  for (let i = 0; i < 1_000; i++) log.record(request, problemResponse("invalid_token"));
  log.record(request, problemResponse("not_admin"));
  assert.equal(lines.length, 31);
  assert.deepEqual(log.counts(), { invalid_token: 1_000, not_admin: 1 });
  pass(60);
  log.record(request, problemResponse("invalid_token"));
  assert.deepEqual([lines.at(-1)!.count, lines.at(-1)!.leftOut], [1_001, 970]);
});

Deno.test("logged() keeps what a sender puts into a path on one line, and short", async () => {
  const { lines, log } = scene();
  const handle = logged(() => Promise.resolve(problemResponse("not_found")), log);
  await handle(new Request(`https://billing.example/${"a%0A".repeat(200)}`));
  assert.equal(lines.length, 1);
  assert.ok(lines[0].route.length <= 120);
  assert.doesNotMatch(JSON.stringify(lines[0]), /\n/);
});
