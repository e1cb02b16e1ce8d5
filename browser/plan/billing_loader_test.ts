import assert from "node:assert/strict";
import { type ApiResult, failure } from "../api/client.ts";
import { BACK_OFF_MS, loadBilling, retryLoading, stopWatch, watchBilling } from "./billing_loader.ts";
import { billing } from "./billing_store.ts";
import { setConnection } from "../api/connection.ts";
import type { BillingInfo } from "../api/contract.ts";
import { billingInfo, free, pro } from "../testing/billing_info.ts";
import { FakeClock } from "../testing/fake_clock.ts";

/** Replaces the API with one that gives these answers for billing info, and counts the calls. */
function fakeApi(answer: (call: number) => ApiResult<BillingInfo>) {
  let calls = 0;
  const call = <T>() => Promise.resolve(answer(++calls) as ApiResult<T>);
  setConnection({
    channel: { proveIdentity: () => assert.fail("not asked"), send: () => {} },
    session: { call },
    stripeJs: null,
  });
  billing.value = { status: "loading" };
  return { calls: () => calls };
}

const ok = (info: BillingInfo): ApiResult<BillingInfo> => ({ ok: true, data: info });
const isPro = (info: BillingInfo) => info.plan.code === "pro";

Deno.test("loadBilling() puts billing info into the store, and calls at the same time share one request", async () => {
  const api = fakeApi(() => ok(billingInfo(free)));
  const [one, two] = await Promise.all([loadBilling(), loadBilling()]);
  assert.equal(api.calls(), 1);
  assert.equal(one, two);
  assert.deepEqual(billing.value, { status: "ready", info: one });
});

Deno.test("loadBilling() shows a failure only when nothing was loaded before, until retryLoading()", async () => {
  fakeApi((call) => call === 1 || call === 3 ? failure("network_error") : ok(billingInfo(free)));
  assert.equal(await loadBilling(), null);
  assert.deepEqual(billing.value, { status: "error", code: "network_error" });
  retryLoading();
  assert.equal(billing.value.status, "loading");
  const info = await loadBilling();
  assert.equal(await loadBilling(), null);
  assert.deepEqual(billing.value, { status: "ready", info });
});

Deno.test("watchBilling() ends with true at the first load for which isDone is true", async () => {
  using clock = new FakeClock();
  const api = fakeApi((call) => ok(billingInfo(call < 3 ? free : pro)));
  const watching = watchBilling(isPro, [0, 10, 20, 40]);
  await clock.pass(1_000);
  assert.equal(await watching, true);
  assert.equal(api.calls(), 3);
});

Deno.test("watchBilling() continues after failed loads and ends with false after the last pause", async () => {
  using clock = new FakeClock();
  const api = fakeApi((call) => call === 2 ? failure("network_error") : ok(billingInfo(free)));
  const watching = watchBilling(isPro, [0, 10, 20]);
  await clock.pass(1_000);
  assert.equal(await watching, false);
  assert.equal(api.calls(), 3);
});

Deno.test("watchBilling() loads at once when the person or the connection comes back", async () => {
  using clock = new FakeClock();
  const api = fakeApi(() => ok(billingInfo(free)));
  const watching = watchBilling(isPro, [0, 60_000, 60_000]);
  await clock.pass(10);
  dispatchEvent(new Event("focus"));
  await clock.runMicrotasks();
  assert.equal(api.calls(), 2);
  dispatchEvent(new Event("online"));
  await clock.runMicrotasks();
  assert.equal(await watching, false);
  assert.equal(api.calls(), 3);
});

Deno.test("watchBilling() ends with null when a newer watch replaces it or stopWatch() is called", async () => {
  using clock = new FakeClock();
  fakeApi(() => ok(billingInfo(free)));
  const first = watchBilling(isPro, [0, 1_000]);
  await clock.pass(10);
  const second = watchBilling(isPro, [0, 1_000]);
  await clock.pass(2_000);
  assert.deepEqual([await first, await second], [null, false]);
  const third = watchBilling(isPro, [0, 1_000]);
  stopWatch();
  await clock.pass(2_000);
  assert.equal(await third, null);
});

Deno.test("BACK_OFF_MS starts at 0, never decreases, and adds up to about a minute", () => {
  assert.equal(BACK_OFF_MS[0], 0);
  assert.deepEqual(BACK_OFF_MS, BACK_OFF_MS.toSorted((a, b) => a - b));
  const total = BACK_OFF_MS.reduce((sum, ms) => sum + ms);
  assert.ok(total >= 45_000 && total <= 75_000, `${total} ms`);
});
