import { define } from "../../../define.ts";

/** Stripe's webhooks, for those who run no edge functions. */
export const handler = define.handlers(({ req, state }) => state.billing.handleWebhook(req));
