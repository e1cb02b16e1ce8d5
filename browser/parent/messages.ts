import type { ParentMessage } from "../../packages/parent/types.ts";

/** Parses a message of the parent page. Null if it is not one of the known messages. */
export function parseParentMessage(data: unknown): ParentMessage | null {
  if (typeof data !== "object" || data === null) return null;
  const { type, identityToken, status, sessionId } = data as Record<string, unknown>;
  if (type === "pluginContext" && typeof identityToken === "string") return { type, identityToken };
  if (type === "stripeCallback" && isStripeStatus(status)) {
    if (sessionId === undefined) return { type, status };
    if (typeof sessionId === "string") return { type, status, sessionId };
  }
  return null;
}

function isStripeStatus(value: unknown) {
  return value === "success" || value === "cancel" || value === "portal_return";
}
