import { useEffect } from "preact/hooks";
import { type PluginOptions, startPlugin } from "../browser/plugin.ts";

/** Connects the page to the parent app's page. Renders nothing. */
export default function ParentListener(options: PluginOptions) {
  useEffect(() => void startPlugin(options), []);
  return null;
}
