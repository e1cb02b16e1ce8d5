import { type RunningSimulator, serveSimulator } from "@dues/stripe-simulator";
import { connect, createPro } from "@dues/stripe-simulator/testing";
import { PluginRig } from "./plugin_rig.ts";

/** Where the checkout opens: on Stripe's page or inside the plugin's. */
export type CheckoutMode = "hosted" | "embedded";

/** A plugin rig for each checkout mode. Only one runs at a time, because a process can serve only one build. */
export class CheckoutRigs implements AsyncDisposable {
  #running: { mode: CheckoutMode; rig: PluginRig } | null = null;
  #simulator: RunningSimulator | null = null;

  /** Starts the rig of this mode if it is not running. Stops the other one. */
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

  /** Creates a checkout session in the simulator and returns the API's answer for it. */
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
