import assert from "node:assert/strict";
import type { Stack } from "../../local/stack.ts";

type Urls = Pick<Stack, "urls">;

/** Calls the control API of a stack's Stripe simulator, which must succeed. */
export async function callSimulator(
  { urls }: Urls,
  method: string,
  path: string,
  json?: unknown,
): Promise<void> {
  const response = await fetch(`${urls.stripe}${path}`, {
    method,
    body: json === undefined ? undefined : JSON.stringify(json),
  });
  assert.ok(response.ok, `${method} ${path} answered ${response.status}: ${await response.text()}`);
}

/** Pays a checkout session, and waits until all its events are delivered. */
export async function payCheckout(stack: Urls, sessionId: string): Promise<void> {
  await callSimulator(stack, "POST", `/_sim/checkout/${sessionId}/pay`);
  await callSimulator(stack, "GET", "/_sim/idle");
}
