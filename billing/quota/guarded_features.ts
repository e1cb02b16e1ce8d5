/**
 * The features that the plugin limits. Each needs a row in table `features` and a limit on every plan; the server checks
 * this when it starts. `requireQuota` and `enforceResourceLimit` accept only these names.
 */

/** Limited to so many within a window: for `requireQuota`. */
export const guardedFeatures = ["ai_chat_message"] as const;
export type Feature = (typeof guardedFeatures)[number];

/** Limited to so many at once: for `enforceResourceLimit`. */
export const guardedResources = ["active_wizard"] as const;
export type Resource = (typeof guardedResources)[number];
