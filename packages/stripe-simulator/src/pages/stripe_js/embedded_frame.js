// @ts-check
/* Runs in the frame of an embedded checkout: tells the page around it how high the checkout is, and when it is paid. */
(() => {
  const { embedder = "", completed, redirectTo = "" } = document.body.dataset;
  if (parent === self || embedder === "") return;

  /** @param {object} news */
  const tell = (news) => parent.postMessage({ type: "stripe_simulator.checkout", ...news }, embedder);

  new ResizeObserver(() => tell({ height: document.documentElement.scrollHeight })).observe(document.body);
  if (completed !== undefined) tell({ completed: { redirectTo: redirectTo || null } });
})();
