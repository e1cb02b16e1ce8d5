import { LocalError } from "./errors.ts";

/** So many different ports of 127.0.0.1 that nothing listens on at the moment. */
export function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map((listener) => listener.addr.port);
  listeners.forEach((listener) => listener.close());
  return ports;
}

/** Throws LocalError `port_in_use`, naming each port that something listens on. */
export function requireFreePorts(ports: Record<string, number>): void {
  const taken = Object.entries(ports).filter(([_, port]) => !isFree(port));
  if (taken.length === 0) return;
  const list = taken.map(([name, port]) => `${port} (${name})`).join(", ");
  throw new LocalError(
    "port_in_use",
    `Port ${list} is in use. Stop what uses it, or choose other ports with --port-base N.`,
  );
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
