/**
 * False for objects on a test clock, unless the list is filtered by that clock, a customer or a subscription
 * (https://docs.stripe.com/billing/testing/test-clocks/api-advanced-usage).
 */
export function isShown(
  { test_clock: clock }: { test_clock?: unknown },
  params: { customer?: string; subscription?: string; test_clock?: string },
): boolean {
  if (params.test_clock !== undefined) return clock === params.test_clock;
  return typeof clock !== "string" || params.customer !== undefined || params.subscription !== undefined;
}
