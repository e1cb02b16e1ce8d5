import assert from "node:assert/strict";
import { type ApiResult, failure } from "../api/client.ts";
import { BACK_OFF_MS, loadBilling, retry, stopWatching, watchBilling } from "./billing_loader.ts";
import { billing } from "./billing_store.ts";
import { setConnection } from "../api/connection.ts";
import type { BillingInfo } from "../api/contract.ts";
import { billingInfo, free, pro } from "../testing/billing_info.ts";
import { FakeClock } from "../testing/fake_clock.ts";

/** Lets the API answer billing info like this, and counts the calls. */
function playApi(answer: (call: number) => ApiResult<BillingInfo>) {
  let calls = 0;
  const call = <T>() => Promise.resolve(answer(++calls) as ApiResult<T>);
  setConnection({
    channel: { proveIdentity: () => assert.fail("not asked"), send: () => {}, close: () => {} },
    session: { call, close: () => {} },
    stripeJs: null,
  });
  billing.value = { status: "loading" };
  return { calls: () => calls };
}

const ok = (info: BillingInfo): ApiResult<BillingInfo> => ({ ok: true, data: info });
const isPro = (info: BillingInfo) => info.plan.code === "pro";

Deno.test("billing info that was read is in the store, and several who ask at once read it once", async () => {
  const api = playApi(() => ok(billingInfo(free)));
  const [one, two] = await Promise.all([loadBilling(), loadBilling()]);
  assert.equal(api.calls(), 1);
  assert.equal(one, two);
  assert.deepEqual(billing.value, { status: "ready", info: one });
});

Deno.test("what is shown stays when a later load fails; the first load's failure is shown until a retry", async () => {
  playApi((call) => call === 1 || call === 3 ? failure("network_error") : ok(billingInfo(free)));
  assert.equal(await loadBilling(), null);
  assert.deepEqual(billing.value, { status: "error", code: "network_error" });
  retry();
  assert.equal(billing.value.status, "loading");
  const info = await loadBilling();
  assert.equal(await loadBilling(), null);
  assert.deepEqual(billing.value, { status: "ready", info });
});

Deno.test("a watch ends at the first look that is settled", async () => {
  using clock = new FakeClock();
  const api = playApi((call) => ok(billingInfo(call < 3 ? free : pro)));
  const watching = watchBilling(isPro, [0, 10, 20, 40]);
  await clock.pass(1_000);
  assert.equal(await watching, true);
  assert.equal(api.calls(), 3);
});

Deno.test("a watch goes on over failures and gives up after the last pause", async () => {
  using clock = new FakeClock();
  const api = playApi((call) => call === 2 ? failure("network_error") : ok(billingInfo(free)));
  const watching = watchBilling(isPro, [0, 10, 20]);
  await clock.pass(1_000);
  assert.equal(await watching, false);
  assert.equal(api.calls(), 3);
});

Deno.test("a watch looks at once when the person comes back, and then waits again", async () => {
  using clock = new FakeClock();
  const api = playApi(() => ok(billingInfo(free)));
  const watching = watchBilling(isPro, [0, 60_000, 60_000]);
  await clock.pass(10);
  dispatchEvent(new Event("focus"));
  await clock.settle();
  assert.equal(api.calls(), 2);
  dispatchEvent(new Event("online"));
  await clock.settle();
  assert.equal(await watching, false);
  assert.equal(api.calls(), 3);
});

Deno.test("a newer watch takes the place of an older one, and a watch can be stopped", async () => {
  using clock = new FakeClock();
  playApi(() => ok(billingInfo(free)));
  const first = watchBilling(isPro, [0, 1_000]);
  await clock.pass(10);
  const second = watchBilling(isPro, [0, 1_000]);
  await clock.pass(2_000);
  assert.deepEqual([await first, await second], [null, false]);
  const third = watchBilling(isPro, [0, 1_000]);
  stopWatching();
  await clock.pass(2_000);
  assert.equal(await third, null);
});

Deno.test("the back-off looks at once, never more often than before, and ends within about a minute", () => {
  assert.equal(BACK_OFF_MS[0], 0);
  assert.deepEqual(BACK_OFF_MS, BACK_OFF_MS.toSorted((a, b) => a - b));
  const total = BACK_OFF_MS.reduce((sum, ms) => sum + ms);
  assert.ok(total >= 45_000 && total <= 75_000, `${total} ms`);
});
