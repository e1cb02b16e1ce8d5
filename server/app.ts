import { App, csp, staticFiles } from "fresh";
import { createBilling } from "../billing/billing.ts";
import type { ServerConfig } from "../billing/config.ts";
import type { PublicConfig, State } from "./page_context.ts";
import { pagePolicy } from "./page_policy.ts";

/**
 * Creates the plugin server from its configuration: headers, static files, page policy, and the routes of `routes/`.
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

  return new App<State>()
    .use(async (ctx) => {
      const response = await ctx.next();
      response.headers.set("x-content-type-options", "nosniff");
      // Addresses may contain a community's id, which no other site may learn.
      response.headers.set("referrer-policy", "strict-origin-when-cross-origin");
      response.headers.append("vary", "accept-language");
      return response;
    })
    .use(staticFiles())
    .use(csp({ useNonce: true, csp: pagePolicy(config) }))
    .use((ctx) => {
      ctx.state.billing = billing;
      ctx.state.config = publicConfig;
      return ctx.next();
    })
    .fsRoutes();
}
