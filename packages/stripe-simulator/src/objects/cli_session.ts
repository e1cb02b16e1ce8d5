import { newId, randomText } from "./ids.ts";

/** A machine on which Stripe's CLI listens. Its secret is the same in all its sessions. */
export interface CliDevice {
  /** The device's name. */
  id: string;
  secret: string;
}

/** Permission to open one web socket on which events are sent. */
export interface CliSession {
  id: string;
  device: string;
  /** Snapshot events, thin events, or the log of requests. */
  features: CliFeature[];
}

export type CliFeature = "request_logs" | "v2_events" | "webhooks";

export function newCliDevice(name: string): CliDevice {
  return { id: name, secret: `whsec_${randomText(64)}` };
}

export function newCliSession(device: string, features: CliFeature[]): CliSession {
  return { id: newId("cliws"), device, features };
}
