import assert from "node:assert/strict";
import { decodeJwt, UnsecuredJWT } from "jose";
import { identityTickets } from "./identity_ticket.ts";
import { pluginIdSchema } from "../ids.ts";

const asked = {
  pluginId: pluginIdSchema.parse("p1"),
  userInfo: "requestId-1-a",
  communityInfo: "requestId-1-b",
};
const tickets = identityTickets("a secret");

Deno.test("identityTickets() issues tickets with their requests, an own id, and two minutes to live", async () => {
  const [one, other] = await Promise.all([tickets.issue(asked), tickets.issue(asked)]);
  const { jti, exp, ...rest } = await tickets.read(one);
  assert.deepEqual(rest, asked);
  assert.notEqual(jti, (await tickets.read(other)).jti);
  assert.ok(Math.abs(exp - Date.now() / 1000 - 120) < 5);
});

Deno.test("identityTickets().read() refuses a ticket signed with another secret or not signed", async () => {
  const forged = await identityTickets("another secret").issue(asked);
  const unsigned = new UnsecuredJWT({ ...decodeJwt(forged) }).encode();
  for (const ticket of [forged, unsigned, `${forged}x`, "", "a.b.c"]) {
    await assert.rejects(tickets.read(ticket), { code: "invalid_identity_answer" });
  }
});

Deno.test("identityTickets().read() refuses an expired ticket with expired_identity_request", async () => {
  const ticket = await tickets.issue(asked);
  const now = Date;
  const later = class extends Date {
    constructor() {
      super(now.now() + 121_000);
    }
  };
  globalThis.Date = later as DateConstructor;
  try {
    await assert.rejects(tickets.read(ticket), { code: "expired_identity_request" });
  } finally {
    globalThis.Date = now;
  }
});
