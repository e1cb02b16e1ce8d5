import assert from "node:assert/strict";
import { Account } from "../account/account.ts";
import { newCheckoutSession } from "../objects/checkout_session.ts";
import { newCustomer } from "../objects/customer.ts";
import { newPortalSession, portalSessionLifetime } from "../objects/billing_portal.ts";
import { TaskSchedule } from "../time/task_schedule.ts";
import { findPortalSession } from "./portal_actions.ts";

/** An account whose clock a test can set. */
function accountAt(start: number) {
  const clock = { now: start };
  return { account: new Account(() => clock.now), clock };
}

/** Does all that is due in real time by that second. */
function work(calendar: TaskSchedule, until: number) {
  for (const _ of calendar.work(null, until));
}

Deno.test("an open session ends at its time and not before", () => {
  const { account } = accountAt(1_000);
  const calendar = new TaskSchedule(account);
  account.onPut = (object) => calendar.note(object);
  account.checkoutSessions.put(newCheckoutSession(1_000, {
    id: "cs_test_1",
    mode: "subscription",
    place: {
      uiMode: "hosted_page",
      url: "http://127.0.0.1/c/pay/cs_test_1",
      successUrl: "https://parent.example/",
      cancelUrl: null,
    },
    allowPromotionCodes: null,
    amountTotal: 1500,
    billingAddressCollection: null,
    clientReferenceId: null,
    currency: "usd",
    customer: null,
    customerCreation: "always",
    customerEmail: null,
    expiresAt: 5_000,
    locale: null,
    metadata: {},
    paymentMethodCollection: "always",
  }));
  work(calendar, 4_999);
  assert.equal(account.checkoutSessions.get("cs_test_1").status, "open");
  work(calendar, 5_000);
  work(calendar, 6_000);
  assert.equal(account.checkoutSessions.get("cs_test_1").status, "expired");
  const events = account.events.oldestFirst();
  assert.deepEqual(events.map(({ type, created }) => [type, created]), [["checkout.session.expired", 5_000]]);
});

Deno.test("findPortalSession() knows an address for an hour, and only while its customer is there", () => {
  const { account, clock } = accountAt(1_000);
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
