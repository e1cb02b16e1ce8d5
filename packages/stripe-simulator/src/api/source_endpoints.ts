import { attach } from "../behaviour/payments/card_attachment.ts";
import { saveSource, sourceOf } from "../behaviour/payments/card_sources.ts";
import { noSuch } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { metadata, text } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

/** Sources are the former API of cards. A card is saved as a payment method that also can be read as a source. */
export const sourceEndpoints = [
  endpoint("POST /v1/customers/:id/sources", { metadata: metadata().optional(), source: text() }, (call) => {
    const { account, params, id } = call;
    const customer = account.customers.get(id);
    const change = call.change.of(customer);
    const method = saveSource(change, customer, params.source, mergeMetadata({}, params.metadata));
    return sourceOf(attach(change, method, customer));
  }),

  endpoint("POST /v1/customers/:id/sources/:id", { metadata: metadata().optional() }, (call) => {
    const { account, change, params } = call;
    const id = call.id.split("/")[1];
    const before = account.paymentMethods.find(id);
    if (!before) throw noSuch("source", id, "path");
    const after = account.paymentMethods.put({
      ...before,
      metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
    });
    change.of(before).emit("customer.source.updated", sourceOf(after), sourceOf(before));
    return sourceOf(after);
  }),
];
