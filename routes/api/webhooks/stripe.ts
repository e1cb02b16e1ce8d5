import { define } from "../../../server/page_context.ts";

/** Receives Stripe's webhooks, for installations without edge functions. */
export const handler = define.handlers(({ req, state }) => state.billing.handleWebhook(req));
