/**
 * A Stripe for one machine: the API, the pages and the webhooks that a subscription business uses.
 *
 * For tests, `./testing` starts one with the official SDK connected to it.
 *
 * @module
 */
export { StateFileError } from "./src/account/state_file.ts";
export { usageIn } from "./src/behaviour/meters/metered_usage.ts";
export type { Fault } from "./src/faults/faults.ts";
export type { BillingSettings } from "./src/objects/billing_settings.ts";
export type { Event } from "./src/objects/event.ts";
export type { Invoice } from "./src/objects/invoice.ts";
export { apiVersion } from "./src/objects/stored_object.ts";
export type { Subscription } from "./src/objects/subscription.ts";
export { type RunningSimulator, serveSimulator, type SimulatorOptions } from "./src/server/start_server.ts";
export { serializeSnapshot } from "./src/webhooks/delivery_request.ts";
