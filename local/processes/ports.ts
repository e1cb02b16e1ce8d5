import { LocalError } from "../errors.ts";

/** A stack that was just killed frees its ports within this time. */
const LET_GO_MS = 2_000;

/** Where free ports are looked for. */
const FIRST = 10_000;
const LAST = 31_999;

/**
 * Returns `count` different ports of 127.0.0.1 that nothing listens on at the moment.
 *
 * They lie below the range of ephemeral ports, so no outgoing connection takes one before something listens on it.
 */
export function freePorts(count: number): number[] {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    if (isFree(port)) ports.add(port);
  }
  return [...ports];
}

/** Rejects with LocalError `port_in_use`, which names each port that stays in use. */
export async function requireFreePorts(ports: Record<string, number>): Promise<void> {
  const deadline = Date.now() + LET_GO_MS;
  while (takenOf(ports).length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const taken = takenOf(ports);
  if (taken.length === 0) return;
  const list = taken.map(([name, port]) => `${port} (${name})`).join(" and ");
  const message = taken.length === 1 ? `Port ${list} is in use.` : `Ports ${list} are in use.`;
  throw new LocalError(
    "port_in_use",
    `${message} Stop what uses it, or choose other ports with --port-base N.`,
  );
}

function takenOf(ports: Record<string, number>): [string, number][] {
  return Object.entries(ports).filter(([_, port]) => !isFree(port));
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
