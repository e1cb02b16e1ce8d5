import { apiVersion } from "./stored_object.ts";

/**
 * The API versions that an account or a webhook endpoint can have, oldest first. Those before 2025-03-31.basil are
 * only some of the many that accounts still have (https://docs.stripe.com/api/versioning).
 */
export const knownVersions: readonly string[] = [
  "2019-12-03",
  "2020-03-02",
  "2020-08-27",
  "2022-08-01",
  "2022-11-15",
  "2023-08-16",
  "2023-10-16",
  "2024-04-10",
  "2024-06-20",
  "2024-09-30.acacia",
  "2024-10-28.acacia",
  "2024-11-20.acacia",
  "2024-12-18.acacia",
  "2025-01-27.acacia",
  "2025-02-24.acacia",
  "2025-03-31.basil",
  "2025-04-30.basil",
  "2025-05-28.basil",
  "2025-06-30.basil",
  "2025-07-30.basil",
  "2025-08-27.basil",
  "2025-09-30.clover",
  "2025-10-29.clover",
  "2025-11-17.clover",
  "2025-12-15.clover",
  "2026-01-28.clover",
  "2026-02-25.clover",
  "2026-03-25.dahlia",
  "2026-04-22.dahlia",
  "2026-05-27.dahlia",
  "2026-06-24.dahlia",
  "2026-07-29.dahlia",
  "2026-08-26.dahlia",
  "2026-09-30.endive",
  apiVersion,
];

/** The first version that a request can ask for. Older ones exist for events only. */
export const oldestRequestVersion = "2025-03-31.basil";

/** True when a version is this one or a later one. Versions begin with their date, so they sort as text. */
export function isSince(version: string, first: string): boolean {
  return version >= first;
}

/** The API version of an account. New events have it, and replies to requests that name no version. */
export interface DefaultVersion {
  id: "default";
  version: string;
}
