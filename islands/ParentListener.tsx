import { useEffect } from "preact/hooks";
import type { IdentityProviderName } from "../billing/identity.ts";
import { startPlugin } from "../browser/plugin.ts";

interface Props {
  parentOrigin: string;
  /** How the parent app vouches for people. */
  identityProvider: IdentityProviderName;
}

/** Connects the page to the parent app's page around it. Shows nothing itself. */
export default function ParentListener({ parentOrigin, identityProvider }: Props) {
  useEffect(() => startPlugin(parentOrigin, identityProvider), [parentOrigin, identityProvider]);
  return null;
}
