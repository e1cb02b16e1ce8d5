// Types only. This file is also the declaration file of the bundled module.

/** The options of the script. */
export interface DuesOptions {
  /** The plugin's exact origin: `https://dues.example`. Messages are sent to and accepted from this origin only. */
  pluginOrigin: string;
  /**
   * More origins that the plugin may ask this page to open, besides Stripe's: a custom checkout domain, or a Stripe
   * simulator during development.
   */
  extraOpenOrigins?: string[];
  /**
   * Returns a new identity token for an iframe, signed by your server. By default the script posts to the iframe's
   * `data-dues-token-url` and expects `{"identityToken": "…"}`.
   */
  fetchIdentityToken?: (frame: HTMLIFrameElement) => Promise<string>;
}

/** The connection between this page and its Dues iframes. */
export interface DuesConnection {
  /**
   * Reads a return from Stripe from `address`, by default the page's own, and removes its parameters from the page's
   * address. The script does this on load. A single-page app calls it when its router reaches such an address later.
   */
  handleReturn(address?: string): void;
  /** Stops listening. Does not change the iframes. */
  disconnect(): void;
}

/** How a visit to Stripe ended. */
export type StripeStatus = "success" | "cancel" | "portal_return";

/** From the plugin to this page. */
export type PluginMessage =
  | { type: "pluginReady"; pluginType: "dues" }
  | { type: "openUrl"; url: string }
  | { type: "pluginResize"; height: number };

/** From this page to the plugin. */
export type ParentMessage =
  | { type: "pluginContext"; identityToken: string }
  | { type: "stripeCallback"; status: StripeStatus; sessionId?: string };

/**
 * Connects every `iframe[data-dues]` of this page to Dues, including those added later. Call it once, on load: it also
 * removes Stripe's return parameters from the page's address and sends them to the app's other tabs.
 *
 * Throws a TypeError if an origin is not a bare origin such as `https://dues.example`.
 */
export type ConnectDues = (options: DuesOptions) => DuesConnection;
