/** Contenders take turns, so that what else the machine does affects all of them alike. */

/** How much of the machine others took while a slice ran, as shares of all its processors. */
export interface Disturbance {
  /** By processes that are not the benchmark's. */
  foreign: number;
  /** By the hypervisor, for other machines. */
  steal: number;
}

/** A slice with more than this is thrown away and measured again. */
export const LIMITS: Disturbance = { foreign: 0.12, steal: 0.08 };

export const isDisturbed = ({ foreign, steal }: Disturbance) =>
  foreign > LIMITS.foreign || steal > LIMITS.steal;

/** A slice that counts. */
export interface Taken<T> {
  turn: number;
  attempts: number;
  /** Disturbed all the same, after the last attempt. */
  disturbed: boolean;
  slice: T;
}

export interface TurnOptions<T> {
  contenders: string[];
  turns: number;
  /** How often a slice is measured until it is undisturbed. */
  attempts: number;
  measure(contender: string): Promise<T & { disturbance: Disturbance }>;
}

/**
 * One slice of each contender in each turn. The order rotates from turn to turn, so that nobody always runs after the same
 * other. The result has as many slices of each contender as there are turns, in the order of the turns.
 */
export async function takeTurns<T>(
  { contenders, turns, attempts, measure }: TurnOptions<T>,
): Promise<Map<string, Taken<T & { disturbance: Disturbance }>[]>> {
  const taken = new Map(contenders.map((name) => [name, [] as Taken<T & { disturbance: Disturbance }>[]]));
  for (let turn = 0; turn < turns; turn++) {
    for (const name of rotated(contenders, turn)) {
      let attempt = 1;
      let slice = await measure(name);
      for (; attempt < attempts && isDisturbed(slice.disturbance); attempt++) slice = await measure(name);
      taken.get(name)!.push({ turn, attempts: attempt, disturbed: isDisturbed(slice.disturbance), slice });
    }
  }
  return taken;
}

function rotated(names: string[], turn: number): string[] {
  const by = turn % names.length;
  return [...names.slice(by), ...names.slice(0, by)];
}
