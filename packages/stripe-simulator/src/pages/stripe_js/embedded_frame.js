// @ts-check
/*
 * Runs in the frame of an embedded checkout. It tells the embedding page the height of the checkout and its
 * completion.
 */
(() => {
  const { embedder = "", completed, redirectTo = "" } = document.body.dataset;
  if (parent === self || embedder === "") return;

  /** @param {object} message */
  const send = (message) => parent.postMessage({ type: "stripe_simulator.checkout", ...message }, embedder);

  new ResizeObserver(() => send({ height: document.documentElement.scrollHeight })).observe(document.body);
  if (completed !== undefined) send({ completed: { redirectTo: redirectTo || null } });
})();
