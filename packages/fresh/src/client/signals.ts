// Loaded by pages whose islands get signals as props.
import { computed, type ReadonlySignal, signal } from "@preact/signals";

export { signal };

/** What became of a computed signal: what it was computed from stayed on the server. */
export const frozen = <T>(value: T): ReadonlySignal<T> => computed(() => value);
