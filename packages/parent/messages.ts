import type { PluginMessage } from "./types.ts";

/** CSS pixels. No page of the plugin is taller than this. */
const MAX_HEIGHT = 20_000;

/** Parses a message of an iframe. Null if it is not one of the plugin's messages. */
export function parsePluginMessage(data: unknown): PluginMessage | null {
  if (typeof data !== "object" || data === null) return null;
  const { type, pluginType, url, height } = data as Record<string, unknown>;
  switch (type) {
    case "pluginReady":
      return pluginType === "dues" ? { type, pluginType } : null;
    case "openUrl":
      return typeof url === "string" ? { type, url } : null;
    case "pluginResize":
      return isHeight(height) ? { type, height } : null;
    default:
      return null;
  }
}

function isHeight(value: unknown): value is number {
  return typeof value === "number" && value > 0 && value <= MAX_HEIGHT;
}
