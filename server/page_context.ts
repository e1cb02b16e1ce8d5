import { createDefine } from "fresh";
import type { Billing } from "../billing/billing.ts";
import type { Deadline } from "../billing/deadline.ts";
import type { IdentityProviderName } from "../billing/identity/identity_provider.ts";

/** The part of the configuration that a browser may see. */
export interface PublicConfig {
  /** Origins, such as `https://app.example`. */
  parentAppUrl: string;
  pluginUrl: string;
  /** Whether the examples are served. */
  showsExamples: boolean;
  /** How the parent app proves who somebody is. */
  identityProvider: IdentityProviderName;
  /** Set if the checkout opens inside the plugin's page. */
  stripeJs: { publishableKey: string; scriptUrl: string | null } | null;
}

/** The state of every request. The middlewares of `createApp` set it. */
export interface State {
  billing: Billing;
  config: PublicConfig;
  /** The body that `requireQuota` has read and checked, of the shape that the route gave it. */
  body?: unknown;
  /** See clientAddress(). */
  trustedProxies: number | null;
  /** By when a request to the API has to be answered. */
  deadline: Deadline;
}

/** Defines routes, pages and middlewares with this state. */
export const define = createDefine<State>();
