// @ts-check
/*
 * A stand-in for Stripe.js: `window.Stripe` with embedded checkout. The checkout is a page of the simulator in a
 * frame. Both exchange messages only with each other.
 */
(() => {
  /** The simulator's origin. It is inserted when this file is served. */
  const simulator = "{{simulator}}";

  /** Stripe allows one embedded checkout at a time. */
  let isTaken = false;

  /** @typedef {import("@stripe/stripe-js").StripeEmbeddedCheckoutOptions} Options */
  /** @typedef {{ type: "stripe_simulator.checkout", height?: number, completed?: { redirectTo: string | null } }} FrameMessage */

  /**
   * @param {string} publishableKey
   * @returns {Pick<import("@stripe/stripe-js").Stripe, "createEmbeddedCheckoutPage" | "registerAppInfo">}
   */
  function Stripe(publishableKey) {
    if (!/^pk_test_\w+$/.test(publishableKey)) {
      throw new Error("Invalid publishable key: the Stripe simulator takes pk_test_… only.");
    }
    return { createEmbeddedCheckoutPage, registerAppInfo() {} };
  }
  Stripe.version = "endive";

  /** @param {Options} options */
  async function createEmbeddedCheckoutPage(options) {
    if (isTaken) throw new Error("You cannot have multiple Embedded Checkout objects.");
    isTaken = true;
    try {
      return embeddedCheckout(await clientSecretOf(options), options);
    } catch (error) {
      isTaken = false;
      throw error;
    }
  }

  /**
   * @param {Options} options
   * @returns {Promise<string>}
   */
  async function clientSecretOf({ clientSecret, fetchClientSecret }) {
    const secret = clientSecret ?? await fetchClientSecret?.();
    if (typeof secret === "string" && /^cs_test_\w+_secret_\w+$/.test(secret)) return secret;
    throw new Error("Embedded Checkout needs the client secret of a Checkout Session.");
  }

  /**
   * @param {string} clientSecret
   * @param {Options} options
   * @returns {import("@stripe/stripe-js").StripeEmbeddedCheckout}
   */
  function embeddedCheckout(clientSecret, { onComplete }) {
    const frame = document.createElement("iframe");
    const embedder = encodeURIComponent(location.origin);
    frame.src = `${simulator}/c/embedded/${clientSecret}?embedder=${embedder}`;
    frame.title = "Secure payment form";
    frame.allow = "payment *";
    frame.style.cssText = "border: 0; display: block; width: 100%; min-height: 30rem; color-scheme: normal;";
    let isDestroyed = false;

    /** @param {MessageEvent<FrameMessage>} message */
    function onMessage({ source, origin, data }) {
      if (source !== frame.contentWindow || origin !== simulator) return;
      if (data?.type !== "stripe_simulator.checkout") return;
      if (data.height) frame.style.height = `${data.height}px`;
      if (data.completed) finish(data.completed.redirectTo);
    }

    /** @param {string | null} redirectTo */
    function finish(redirectTo) {
      if (redirectTo === null) onComplete?.();
      else (globalThis.top ?? globalThis).location.href = redirectTo;
    }

    return {
      mount(location) {
        if (isDestroyed) throw new Error("This Embedded Checkout has been destroyed.");
        const element = typeof location === "string" ? document.querySelector(location) : location;
        if (!element) throw new Error(`The selector you specified (${location}) applies to no DOM elements.`);
        addEventListener("message", onMessage);
        element.append(frame);
      },
      unmount() {
        removeEventListener("message", onMessage);
        frame.remove();
      },
      destroy() {
        this.unmount();
        if (!isDestroyed) isTaken = false;
        isDestroyed = true;
      },
    };
  }

  Object.assign(globalThis, { Stripe });
})();
