import assert from "node:assert/strict";
import { rateLimitHeaders } from "./rate_limit_headers.ts";

Deno.test("rateLimitHeaders has a policy for each limit, with the remaining units and the seconds to the reset", () => {
  const headers = rateLimitHeaders({
    feature: "ai_chat_message",
    limits: [
      { windowSeconds: 3600, period: "rolling", quota: 20, used: 3, secondsToReset: 3610 },
      {
        windowSeconds: 2_592_000,
        period: "calendar_month",
        quota: 100,
        used: 100,
        secondsToReset: 86400,
      },
    ],
  });
  assert.deepEqual(headers, {
    "ratelimit-policy": `"ai_chat_message-3600s";q=20;w=3600, "ai_chat_message-month";q=100`,
    "ratelimit": `"ai_chat_message-3600s";r=17;t=3610, "ai_chat_message-month";r=0;t=86400`,
  });
});

Deno.test("rateLimitHeaders has r=0 when the quota is lower than what is used", () => {
  const limit = {
    windowSeconds: 60,
    period: "rolling" as const,
    quota: 5,
    used: 8,
    secondsToReset: 30,
  };
  assert.deepEqual(
    new Headers(rateLimitHeaders({ feature: "ai_chat_message", limits: [limit] })).get("ratelimit"),
    `"ai_chat_message-60s";r=0;t=30`,
  );
});
