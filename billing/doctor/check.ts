/** What a check of `deno task doctor` is, and how checks are run. */
import type { DoctorContext } from "./context.ts";

/** What a check found wrong. */
export interface Finding {
  /** A warning does not stop anything now; an error does, or will. */
  severity: "error" | "warning";
  /** What is wrong, as a sentence, without any secret. */
  sentence: string;
  /** What to do about it, as a sentence. */
  cure: string;
}

/** How a check ended: with a sentence of what is right, or with what is wrong, or not at all for lack of something. */
export type Outcome = { right: string } | { found: Finding[] } | { skipped: string };

/** What other checks establish first. A check that needs something that is missing is not run. */
export type Need = "stripe" | "operator database" | "service database" | "schema";

/** One check. */
export interface Check {
  /** Unique, in words: `webhook endpoint`. */
  name: string;
  group: string;
  /** Where the documents say more: a file and a heading. */
  docs: string;
  needs?: Need[];
  /** What this check establishes for others when nothing is wrong. */
  establishes?: Need;
  run(context: DoctorContext): Promise<Outcome> | Outcome;
}

/** One line of the doctor's report. */
export interface CheckResult {
  group: string;
  name: string;
  status: "right" | "error" | "warning" | "skipped";
  sentence: string;
  /** Null where nothing has to be done. */
  cure: string | null;
  docs: string;
}

export const right = (sentence: string): Outcome => ({ right: sentence });
export const skipped = (why: string): Outcome => ({ skipped: why });
export const wrong = (sentence: string, cure: string): Finding => ({ severity: "error", sentence, cure });
export const doubtful = (sentence: string, cure: string): Finding => ({
  severity: "warning",
  sentence,
  cure,
});
/** The findings, or that everything is right when there is none. */
export const foundOr = (found: Finding[], sentence: string): Outcome =>
  found.length > 0 ? { found } : right(sentence);

/** How long a check may take, unless it says otherwise. */
const DEADLINE_MS = 15_000;

/**
 * Runs all checks: those that others need first, then all others at the same time. One that throws, or does not end in
 * time, is a finding of its own and stops no other. The results are in the order of the list.
 */
export async function runChecks(
  checks: readonly Check[],
  context: DoctorContext,
  { deadlineMs = DEADLINE_MS } = {},
): Promise<CheckResult[]> {
  const established = new Set<Need>();
  const missing = new Set<Need>(checks.flatMap(({ establishes }) => establishes ?? []));
  const results = new Map<Check, CheckResult[]>();
  let open = [...checks];
  while (open.length > 0) {
    // Those whose needs are decided, one way or the other.
    const next = open.filter(({ needs = [] }) =>
      needs.every((need) => established.has(need) || !missing.has(need))
    );
    await Promise.all(next.map(async (check) => {
      const lacking = (check.needs ?? []).filter((need) => !established.has(need));
      const outcome = lacking.length > 0
        ? skipped(`Not checked: it needs the ${lacking.join(" and the ")}.`)
        : await outcomeOf(check, context, deadlineMs);
      if (check.establishes && !("skipped" in outcome) && !hasError(outcome)) {
        established.add(check.establishes);
      }
      results.set(check, lines(check, outcome));
    }));
    for (const { establishes } of next) if (establishes) missing.delete(establishes);
    open = open.filter((check) => !results.has(check));
  }
  return checks.flatMap((check) => results.get(check)!);
}

const hasError = (outcome: Outcome) =>
  "found" in outcome && outcome.found.some(({ severity }) => severity === "error");

async function outcomeOf(check: Check, context: DoctorContext, deadlineMs: number): Promise<Outcome> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() =>
      resolve({
        found: [wrong(
          `The check did not end within ${deadlineMs / 1000} seconds.`,
          "Something that it asked does not answer. Run the doctor again, and look at the other findings first.",
        )],
      }), deadlineMs);
  });
  try {
    return await Promise.race([Promise.resolve(check.run(context)), late]);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      found: [wrong(`The check itself failed: ${why}`, "Run the doctor again. If it stays, report it.")],
    };
  } finally {
    clearTimeout(timer);
  }
}

function lines({ group, name, docs }: Check, outcome: Outcome): CheckResult[] {
  const base = { group, name, docs };
  if ("right" in outcome) return [{ ...base, status: "right", sentence: outcome.right, cure: null }];
  if ("skipped" in outcome) return [{ ...base, status: "skipped", sentence: outcome.skipped, cure: null }];
  return outcome.found.map(({ severity, sentence, cure }) => ({ ...base, status: severity, sentence, cure }));
}
