import assert from "node:assert/strict";
import { Account } from "../account/account.ts";
import { newCheckoutSession } from "../objects/checkout_session.ts";
import { TaskSchedule } from "./task_schedule.ts";

/** Runs everything that is due in real time by that second. */
function run(schedule: TaskSchedule, until: number) {
  for (const _ of schedule.run(null, until));
}

Deno.test("TaskSchedule expires an open checkout session at its expires_at and not before", () => {
  const account = new Account(() => 1_000);
  const schedule = new TaskSchedule(account);
  account.onPut = (object) => schedule.add(object);
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
    payerEmail: null,
    expiresAt: 5_000,
    locale: null,
    metadata: {},
    paymentMethodCollection: "always",
  }));
  run(schedule, 4_999);
  assert.equal(account.checkoutSessions.get("cs_test_1").status, "open");
  run(schedule, 5_000);
  run(schedule, 6_000);
  assert.equal(account.checkoutSessions.get("cs_test_1").status, "expired");
  const events = account.events.oldestFirst();
  assert.deepEqual(events.map(({ type, created }) => [type, created]), [["checkout.session.expired", 5_000]]);
});
