import type { Deadline } from "../deadline.ts";
import type { EventDependencies } from "../events/settle_event.ts";
import type { ReconcileReport } from "./report.ts";

/** One run of the reconciliation, as its parts see it. */
export interface Run extends EventDependencies {
  report: ReconcileReport;
  /** The run ends after this. */
  deadline: Deadline;
  /** Everything is covered now, whatever was covered a while ago. */
  isFull: boolean;
}

/** A part of a run that is done in small steps. True: there is more to do. */
export interface Part {
  name: string;
  step(): Promise<boolean>;
}
