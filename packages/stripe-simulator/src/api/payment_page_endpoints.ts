import type { Account } from "../account/account.ts";
import { payCheckout } from "../behaviour/checkout/checkout_payment.ts";
import { methodInParam } from "../behaviour/payments/card_attachment.ts";
import { cardOf } from "../behaviour/payments/card_verdict.ts";
import type { CheckoutSession } from "../objects/checkout_session.ts";
import { invalidRequest } from "../wire/errors.ts";
import { integer, text } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

/**
 * The API behind Stripe's own checkout page. It is not public, but Stripe's CLI uses it (`stripe trigger
 * checkout.session.completed`).
 */
export const paymentPageEndpoints = [
  endpoint(
    "GET /v1/payment_pages/:id",
    {},
    ({ account, id }) => pageOf(account, account.checkoutSessions.get(id)),
  ),

  endpoint("POST /v1/payment_pages/:id/confirm", {
    expected_amount: integer({ min: 0 }).optional(),
    payment_method: text(),
  }, ({ account, change, params, id }) => {
    const session = account.checkoutSessions.get(id);
    const { expected_amount: expected = session.amount_total } = params;
    if (expected !== session.amount_total) {
      throw invalidRequest("expected_amount is not the amount of this Checkout Session.", {
        param: "expected_amount",
      });
    }
    const method = methodInParam(change, params.payment_method, "payment_method");
    const { email, name } = method.billing_details;
    const attempt = { card: cardOf(method), payer: { email, name }, authentication: "passed" } as const;
    return pageOf(account, payCheckout(change, session, { ...attempt, method }));
  }),
];

function pageOf({ checkoutOrders }: Account, session: CheckoutSession) {
  return {
    id: session.id.replace(/^cs_test_/, "ppage_"),
    object: "payment_page",
    currency: session.currency,
    line_item_count: checkoutOrders.get(session.id).items.length,
    livemode: false,
    mode: session.mode,
    payment_status: session.payment_status,
    session_id: session.id,
    status: session.status,
    success_url: session.success_url,
    total: session.amount_total,
  };
}
