import type { Account } from "../account/account.ts";
import { refundCharge } from "../behaviour/refunds/refund_requests.ts";
import type { Charge } from "../objects/payment.ts";
import { invalidRequest, missingParameter } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { paginate, passes } from "../wire/pagination.ts";
import { integer, metadata, oneOf, pagination, text, timeFilter } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

const path = "/v1/refunds";

export const refundEndpoints = [
  endpoint(`POST ${path}`, {
    amount: integer({ min: 1 }).optional(),
    charge: text().optional(),
    metadata: metadata().optional(),
    payment_intent: text().optional(),
    reason: oneOf("duplicate", "fraudulent", "requested_by_customer").optional(),
  }, ({ account, change, params }) => {
    const charge = chargeOf(account, params);
    return refundCharge(change.of(charge), charge, {
      amount: params.amount,
      metadata: mergeMetadata({}, params.metadata),
      reason: params.reason ?? null,
    });
  }),

  endpoint(`GET ${path}`, {
    ...pagination,
    charge: text().optional(),
    created: timeFilter().optional(),
    payment_intent: text().optional(),
  }, ({ account, params }) => {
    const found = account.refunds.newestFirst().filter((refund) =>
      (params.charge === undefined || refund.charge === params.charge) &&
      (params.payment_intent === undefined || refund.payment_intent === params.payment_intent) &&
      passes(refund.created, params.created)
    );
    return paginate(found, params, path);
  }),

  endpoint(`GET ${path}/:id`, {}, ({ account, id }) => account.refunds.get(id)),

  endpoint(`POST ${path}/:id`, { metadata: metadata().optional() }, ({ account, change, params, id }) => {
    const before = account.refunds.get(id);
    const after = account.refunds.put({
      ...before,
      metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
    });
    change.of(before).emit("charge.refund.updated", after, before);
    change.of(before).emit("refund.updated", after, before);
    return after;
  }),
];

function chargeOf(account: Account, params: { charge?: string; payment_intent?: string }): Charge {
  if (params.charge !== undefined) return account.charges.getReferenced(params.charge, "charge");
  if (params.payment_intent === undefined) throw missingParameter("charge");
  const intent = account.paymentIntents.getReferenced(params.payment_intent, "payment_intent");
  const charge = account.charges.find(String(intent.latest_charge));
  if (charge && intent.status === "succeeded") return charge;
  throw invalidRequest(`This PaymentIntent (${intent.id}) does not have a successful charge to refund.`, {
    param: "payment_intent",
  });
}
