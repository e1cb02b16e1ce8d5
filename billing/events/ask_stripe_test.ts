import assert from "node:assert/strict";
import { connectStripe } from "../stripe.ts";
import { clockOf } from "./ask_stripe.ts";

Deno.test("clockOf() reads Stripe's clock from the headers that the SDK gives with an answer", async () => {
  const date = new Date(1_790_000_000_000);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => Response.json({ id: "cus_1" }, { headers: { date: date.toUTCString() } }),
  );
  try {
    const stripe = connectStripe({
      secretKey: "sk_test_tests",
      apiBase: `http://127.0.0.1:${server.addr.port}`,
    });
    const { lastResponse } = await stripe.customers.retrieve("cus_1");
    assert.deepEqual(clockOf(lastResponse.headers), date);
  } finally {
    await server.shutdown();
  }
  assert.deepEqual(clockOf({ date: date.toUTCString() }), date);
});

Deno.test("clockOf() takes our own clock when there is no date", () => {
  for (const headers of [undefined, {}, { date: "yesterday" }]) {
    assert.ok(Math.abs(clockOf(headers as never).getTime() - Date.now()) < 1000);
  }
});
