import { useEffect } from "preact/hooks";
import { startPlugin } from "../browser/plugin.ts";

/** Connects the page to the parent app's page around it. Shows nothing itself. */
export default function ParentListener({ parentOrigin }: { parentOrigin: string }) {
  useEffect(() => startPlugin(parentOrigin), [parentOrigin]);
  return null;
}
