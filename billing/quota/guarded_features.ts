/**
 * What the plugin guards. Each needs a row in `features` and a limit on every plan; the server says so when it starts.
 * A name that is not here is no name: `requireQuota("…")` takes these only.
 */

/** Limited to so many within a time window: for `requireQuota`. */
export const guardedFeatures = ["ai_chat_message"] as const;
export type Feature = (typeof guardedFeatures)[number];

/** Limited to so many at once: for `enforceResourceLimit`. */
export const guardedResources = ["active_wizard"] as const;
export type Resource = (typeof guardedResources)[number];
