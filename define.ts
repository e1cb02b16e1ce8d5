import { createDefine } from "fresh";
import type { Billing } from "./billing/billing.ts";

/** The part of the configuration that pages may show to a browser. */
export interface PublicConfig {
  parentAppUrl: string;
  pluginUrl: string;
  stripePublishableKey: string;
}

/** What every request carries from the middlewares of main.ts. */
export interface State {
  billing: Billing;
  config: PublicConfig;
}

export const define = createDefine<State>();
