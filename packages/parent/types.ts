// Types only: this file is also shipped, as it is, as the declarations of the bundled script.

/** What the page tells the script. */
export interface DuesOptions {
  /** The plugin's origin, exactly: `https://dues.example`. Messages go there and are taken from there only. */
  pluginOrigin: string;
  /**
   * Origins besides Stripe's own that the plugin may ask this page to open: a custom checkout domain, or a stand-in
   * for Stripe while developing.
   */
  extraOpenOrigins?: string[];
  /**
   * Gets a new identity token for one iframe, signed by your server. Without it the script posts to the address in
   * the iframe's `data-dues-token-url` and expects `{"identityToken": "…"}`.
   */
  fetchIdentityToken?: (frame: HTMLIFrameElement) => Promise<string>;
}

/** A running connection between this page and its Dues iframes. */
export interface DuesConnection {
  /**
   * Reads a return from Stripe out of `address`, by default the page's own, which is cleaned. On load that happens by
   * itself; a single-page app whose router comes to such an address later calls it then.
   */
  handleReturn(address?: string): void;
  /** Stops listening. Iframes are left as they are. */
  disconnect(): void;
}

/** How a person came back from Stripe. */
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
 * Connects every `iframe[data-dues]` of this page, present or added later, to Dues. Call it once, on load: it also
 * takes Stripe's return parameters out of the page's address, and tells the app's other tabs what they say.
 *
 * Throws a TypeError when an origin is not a bare origin such as `https://dues.example`.
 */
export type ConnectDues = (options: DuesOptions) => DuesConnection;
