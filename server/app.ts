import { App, csp, staticFiles } from "fresh";
import { createBilling } from "../billing/billing.ts";
import type { ServerConfig } from "../billing/config.ts";
import { guard } from "./guard.ts";
import type { PublicConfig, State } from "./page_context.ts";
import { pagePolicy } from "./page_policy.ts";

/**
 * Creates the plugin server from its configuration: guard, static files, page policy, and the routes of `routes/`.
 *
 * Problem answers are in `billing/http/problem.ts`, because the edge functions use them too.
 */
export async function createApp(config: ServerConfig): Promise<App<State>> {
  const billing = await createBilling(config);
  billing.watchSchedules();
  const publicConfig: PublicConfig = {
    parentAppUrl: config.parentAppUrl,
    pluginUrl: config.pluginUrl,
    showsExamples: config.showsExamples,
    identityProvider: config.identity.provider,
    stripeJs: config.checkout.uiMode === "embedded"
      ? { publishableKey: config.stripe.publishableKey, scriptUrl: config.checkout.stripeJsUrl }
      : null,
  };

  const app = new App<State>()
    .use(staticFiles())
    .use(csp({ useNonce: true, csp: pagePolicy(config) }))
    .use((ctx) => {
      ctx.state.billing = billing;
      ctx.state.config = publicConfig;
      ctx.state.trustedProxies = config.trustedProxies;
      return ctx.next();
    })
    .fsRoutes();
  return guard(app, {
    pluginUrl: config.pluginUrl,
    isEmbedded: config.checkout.uiMode === "embedded",
  });
}
