/** Whether a contender did the work that it is measured by. */

/** What a contender's database says about the events that it was sent. */
export interface Work {
  /** Events that were answered with success. */
  accepted: number;
  /** How many events ended how: what the contender calls it, and a number. */
  outcomes: Record<string, number>;
  /** Subscriptions whose stored state is not that of the newest event. */
  wrongStates: number;
}

/**
 * What is wrong, as sentences; empty when every event was applied and the newest state of every subscription is stored. A
 * rejected, repeated or stale event is cheaper than an applied one, so none may be among those that are timed.
 */
export function faultsOf(contender: string, { accepted, outcomes, wrongStates }: Work): string[] {
  const { applied = 0, ...others } = outcomes;
  const faults = Object.entries(others).filter(([_, count]) => count > 0)
    .map(([outcome, count]) => `${contender}: ${count} events were ${outcome} instead of applied.`);
  if (accepted === 0) faults.push(`${contender}: no event was accepted.`);
  if (applied !== accepted) {
    faults.push(`${contender}: ${accepted} events were accepted and ${applied} applied.`);
  }
  if (wrongStates > 0) {
    faults.push(`${contender}: ${wrongStates} subscriptions are not in the state of their newest event.`);
  }
  return faults;
}
