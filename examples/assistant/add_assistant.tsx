import type { App } from "fresh";
import type { State } from "../../server/page_context.ts";
import { requireQuota } from "../../server/require_quota.ts";
import AssistantPage from "./AssistantPage.tsx";
import { answerMessage, messageSchema } from "./messages.ts";

/**
 * Adds the example to the plugin server: a page and the API behind it. Each request to the API counts as one
 * `ai_chat_message`; with no quota left it is answered 402. Call it after `fsRoutes()`, so that `_app` and the
 * middlewares of `routes/api` apply. The page is alive only if the Builder was told of its island, `Assistant.tsx`.
 */
export function addAssistant(app: App<State>): App<State> {
  return app
    .all(
      "/assistant",
      (ctx) => ctx.render(<AssistantPage req={ctx.req} url={ctx.url} config={ctx.state.config} />),
    )
    .all("/api/assistant/messages", requireQuota("ai_chat_message", { body: messageSchema }), answerMessage);
}
