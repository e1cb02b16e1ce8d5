import { type RunningSimulator, serveSimulator } from "@dues/stripe-simulator";
import { connect, createPro } from "@dues/stripe-simulator/testing";
import { PluginRig } from "./plugin_rig.ts";

/** Where people pay. */
export type CheckoutMode = "hosted" | "embedded";

/** The plugin as set up for one way to pay, then for the other: one at a time, since a process serves one build. */
export class Rigs implements AsyncDisposable {
  #running: { mode: CheckoutMode; rig: PluginRig } | null = null;
  #simulator: RunningSimulator | null = null;

  /** The plugin set up for this way to pay; another one that was running is stopped. */
  async of(mode: CheckoutMode): Promise<PluginRig> {
    if (this.#running?.mode !== mode) {
      await this.#running?.rig[Symbol.asyncDispose]();
      const env = mode === "embedded"
        ? { CHECKOUT_UI_MODE: "embedded", STRIPE_JS_URL: `${await this.#stripeUrl()}/stripe-js/stripe.js` }
        : undefined;
      this.#running = { mode, rig: await PluginRig.start(env) };
    }
    return this.#running.rig;
  }

  /** What the API answers for a new checkout inside the page. */
  async createEmbeddedCheckout(): Promise<{ sessionId: string; clientSecret: string }> {
    await this.#stripeUrl();
    const stripe = connect(this.#simulator!);
    const price = await createPro(stripe, { unit_amount: 2900 });
    const session = await stripe.checkout.sessions.create({
      mode: "subscription",
      ui_mode: "embedded_page",
      line_items: [{ price: price.id, quantity: 1 }],
      redirect_on_completion: "never",
    });
    return { sessionId: session.id, clientSecret: session.client_secret! };
  }

  async #stripeUrl(): Promise<string> {
    const { host, port } = this.#simulator ??= await serveSimulator({ log: () => {} });
    return `http://${host}:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.rig[Symbol.asyncDispose]();
    await this.#simulator?.stop();
  }
}
