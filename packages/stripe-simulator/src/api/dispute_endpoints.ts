import { z } from "zod";
import { addEvidence, closeDispute } from "../behaviour/refunds/disputes.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { paginate, passes } from "../wire/pagination.ts";
import { boolean, metadata, pagination, text, timeFilter } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

const path = "/v1/disputes";

const evidence = z.strictObject({
  access_activity_log: text(20_000).optional(),
  cancellation_rebuttal: text(20_000).optional(),
  customer_email_address: text().optional(),
  customer_name: text().optional(),
  customer_purchase_ip: text().optional(),
  product_description: text(20_000).optional(),
  refund_policy_disclosure: text(20_000).optional(),
  refund_refusal_explanation: text(20_000).optional(),
  service_date: text().optional(),
  uncategorized_text: text(20_000).optional(),
});

/** Disputes are created by banks: by the control API, and by the test card 4000 0000 0000 0259. */
export const disputeEndpoints = [
  endpoint(`GET ${path}`, {
    ...pagination,
    charge: text().optional(),
    created: timeFilter().optional(),
    payment_intent: text().optional(),
  }, ({ account, params }) => {
    const found = account.disputes.newestFirst().filter((dispute) =>
      (params.charge === undefined || dispute.charge === params.charge) &&
      (params.payment_intent === undefined || dispute.payment_intent === params.payment_intent) &&
      passes(dispute.created, params.created)
    );
    return paginate(found, params, path);
  }),

  endpoint(`GET ${path}/:id`, {}, ({ account, id }) => account.disputes.get(id)),

  endpoint(`POST ${path}/:id`, {
    evidence: evidence.optional(),
    metadata: metadata().optional(),
    submit: boolean().default(true),
  }, ({ account, change, params, id }) => {
    const dispute = account.disputes.get(id);
    return addEvidence(change.of(account.charges.get(dispute.charge)), dispute, {
      evidence: params.evidence ?? {},
      metadata: mergeMetadata(dispute.metadata, params.metadata),
      submits: params.submit && params.evidence !== undefined,
    });
  }),

  endpoint(`POST ${path}/:id/close`, {}, ({ account, change, id }) => {
    const dispute = account.disputes.get(id);
    return closeDispute(change.of(account.charges.get(dispute.charge)), dispute, "lost");
  }),
];
