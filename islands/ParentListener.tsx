import { useEffect } from "preact/hooks";
import { type PluginOptions, startPlugin } from "../browser/plugin.ts";

/** Connects the page to the parent app's page around it. Shows nothing itself. */
export default function ParentListener(options: PluginOptions) {
  useEffect(() => void startPlugin(options), []);
  return null;
}
