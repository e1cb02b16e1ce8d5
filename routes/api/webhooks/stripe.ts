import { define } from "../../../server/page_context.ts";

/** Stripe's webhooks, for those who run no edge functions. */
export const handler = define.handlers(({ req, state }) => state.billing.handleWebhook(req));
