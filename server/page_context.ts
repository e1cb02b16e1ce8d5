import { createDefine } from "fresh";
import type { Billing } from "../billing/billing.ts";
import type { IdentityProviderName } from "../billing/identity/identity_provider.ts";

/** The part of the configuration that pages may show to a browser. */
export interface PublicConfig {
  /** Origins, as all addresses of the configuration. */
  parentAppUrl: string;
  pluginUrl: string;
  /** Whether the examples are served. */
  showsExamples: boolean;
  /** How the parent app vouches for people. */
  identityProvider: IdentityProviderName;
  /** Set where the checkout opens inside the plugin's page. */
  stripeJs: { publishableKey: string; scriptUrl: string | null } | null;
}

/** What every request carries from the middlewares of main.ts. */
export interface State {
  billing: Billing;
  config: PublicConfig;
}

export const define = createDefine<State>();
