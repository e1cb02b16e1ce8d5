import assert from "node:assert/strict";
import { Account } from "../account/account.ts";
import { newPortalSession, portalSessionLifetime } from "../objects/billing_portal.ts";
import { newCustomer } from "../objects/customer.ts";
import { findPortalSession } from "./portal_actions.ts";

Deno.test("findPortalSession() finds a session for an hour and only while its customer exists", () => {
  const clock = { now: 1_000 };
  const account = new Account(() => clock.now);
  const customer = account.customers.put(newCustomer(1_000));
  const fields = {
    configuration: "bpc_1",
    customer: customer.id,
    flow: null,
    locale: null,
    returnUrl: null,
  };
  const url = "http://127.0.0.1/p/session/test_1";
  const session = account.portalSessions.put(newPortalSession(1_000, { ...fields, url }));
  assert.equal(findPortalSession(account, "test_1")?.id, session.id);
  assert.equal(findPortalSession(account, "1"), undefined);
  clock.now = 1_000 + portalSessionLifetime;
  assert.equal(findPortalSession(account, "test_1"), undefined);
  clock.now = 1_000;
  account.customers.remove(customer.id);
  assert.equal(findPortalSession(account, "test_1"), undefined);
});
