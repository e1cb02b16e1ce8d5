import { z } from "zod";
import { apiVersion } from "../objects/stored_object.ts";
import type { Account } from "./account.ts";

/** The whole state of an account as JSON. */
export const stateSchema = z.object({
  api_version: z.literal(apiVersion),
  collections: z.record(z.string(), z.array(z.looseObject({ id: z.string() }))),
});
export type State = z.output<typeof stateSchema>;

export function readState(account: Account): State {
  const collections = account.collections().map(([name, collection]) => [name, collection.oldestFirst()]);
  return { api_version: apiVersion, collections: Object.fromEntries(collections) };
}

/** Replaces the account's whole state. */
export function replaceState(account: Account, state: State) {
  for (const [name, collection] of account.collections()) {
    collection.clear();
    for (const object of state.collections[name] ?? []) collection.put(object);
  }
}
